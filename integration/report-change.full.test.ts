import t, { type Test } from "tap";
import { needs } from "#agent/datasources/images/make-images.ts";
import { loadLinkSettings } from "#agent/report-settings.ts";
import { type Broker, brokerMissing, startBroker } from "./brokers.ts";
import { type FleetListener, listen } from "./fleet-listener.ts";
import { skipWithoutNix } from "./nix-machine.ts";
import { power } from "./power.ts";
import { type StoryNode, storyNode } from "./story.ts";
import { cloudConfig, type StoryDocument } from "./story-documents.ts";
import { inconsistencies, leftovers, standing } from "./story-state.ts";

t.setTimeout(300_000);
const skip = skipWithoutNix() || brokerMissing("mosquitto") || (needs("xorriso").skip ?? false);
const fleet = "the server's";

/** A broker that knows the node by this password, and what is heard there. */
async function brokerFor(t: Test, password: string) {
  const broker = await startBroker(t, "mosquitto", { users: { "edge-1": password, fleet } });
  const heard = await listen(t, broker, { username: "fleet", password: fleet });
  return { broker, heard, right: { port: broker.port, password } };
}

function insert(node: StoryNode, document: StoryDocument): void {
  node.insert("iso", { instanceId: "i-1", userData: cloudConfig(document) });
}

const committed = (generation: number) => ({
  code: 0,
  stdout: new RegExp(`^committed: generation ${generation} `),
});
const restarts = { code: 75, stdout: /^rebooting: / };

t.test(
  "a broker that comes with a restart is judged after it, and left by one",
  { skip },
  async (t) => {
    const one = await brokerFor(t, "at the first: 7rue");
    const other = await brokerFor(t, "at the other: 7rue");
    const node = await storyNode(t);
    const supply = power(node.machine, "grub");
    await supply.cycle();
    const boot = () => node.firstlight(["boot", "--report"]);
    /** The machine is restarted because it was asked for; the system that comes up says where it reports. */
    const restarted = async (broker: Broker) => {
      t.equal(await supply.restartIfAsked(), true);
      await reportsTo(t, node, broker);
    };

    insert(node, { motd: "x", broker: one.right });
    t.match(await boot(), committed(1));
    await supply.cycle(); // what another kernel is told from
    t.match(await boot(), { code: 0, stdout: /^unchanged/ });
    await ends(one.heard, "unchanged");

    await t.test(
      "the wrong password: back by another restart, and told where it was",
      async (t) => {
        const wrong = { ...other.right, password: "no" };
        insert(node, { motd: "x", broker: wrong, kernelParams: ["quiet"] });
        t.match(await boot(), restarts);
        await reportsTo(t, node, one.broker);
        await restarted(other.broker);
        const judged = await boot();
        t.match(judged, { code: 75, stdout: /^rebooting: not healthy: link: / });
        t.match(judged.stderr, "report.failed", "it reports as the system on trial does");
        await restarted(one.broker);
        t.match(await boot(), { code: 3, stdout: /^rolled-back: not healthy: link: / });
        await ends(one.heard, "rolled-back");
        t.same(other.heard.heard, [], "nothing was told there");
        t.match(standing(node), { generation: 1, open: "none" });
      },
    );

    await t.test("the right one: committed after the restart, and told there", async (t) => {
      insert(node, { motd: "x", broker: other.right, kernelParams: ["quiet"] });
      t.match(await boot(), restarts);
      const before = one.heard.heard.length;
      await restarted(other.broker);
      t.match(await boot(), committed(2));
      await ends(other.heard, "committed");
      await reportsTo(t, node, other.broker);
      t.equal(one.heard.heard.length, before);
      t.same([...inconsistencies(node), ...leftovers(node)], []);
    });

    await t.test("a start into the generation from before reports as that one does", async (t) => {
      t.match(await node.firstlight(["rollback"]), restarts);
      await restarted(one.broker);
      t.match(await boot(), { code: 0, stdout: /^committed: generation [0-9]+ / });
      await ends(one.heard, "committed");
      await reportsTo(t, node, one.broker);
    });
  },
);

t.test("a broker that nobody names any more is let go only on purpose", { skip }, async (t) => {
  const { broker, right } = await brokerFor(t, "at the first: 7rue");
  const node = await storyNode(t);
  const boot = () => node.firstlight(["boot"]);
  insert(node, { motd: "x", broker: right });
  t.match(await boot(), committed(1));

  insert(node, { motd: "x" });
  t.match(await node.firstlight(["plan"]), {
    code: 0,
    stdout: /- report\.mqtt\.host: "127\.0\.0\.1" .*^ {2}no broker is named any more: /ms,
  });
  t.match(await boot(), {
    code: 3,
    stdout: /^rolled-back: .*link: no broker is named; .*health\.keep/,
  });
  await reportsTo(t, node, broker);

  insert(node, { motd: "x", keep: ["route"] });
  t.match(await boot(), { code: 77 }, "the same system, which was just taken back");
  t.match(await node.firstlight(["apply"]), committed(2));
  t.equal(await loadLinkSettings(node.io, {}), undefined);
});

async function reportsTo(t: Test, node: StoryNode, { port }: Broker): Promise<void> {
  const link = await loadLinkSettings(node.io, {});
  t.equal(link?.port, port);
}

/** Waits until a boot is told there whose end was this, as the last one that was. */
async function ends({ heard, waitUntil }: FleetListener, outcome: string): Promise<void> {
  const last = () => heard.findLast(({ topic }) => topic.endsWith("/event/boot.finished"));
  await waitUntil(`a boot that ended ${outcome}`, () => last()?.body["outcome"] === outcome);
}
