import t, { type Test } from "tap";
import { needs } from "#agent/datasources/images/make-images.ts";
import { loadLinkSettings } from "#agent/report-settings.ts";
import { type Broker, brokerMissing, startBroker } from "./brokers.ts";
import { skipWithoutNix } from "./nix-machine.ts";
import { type StoryNode, storyNode } from "./story.ts";
import { cloudConfig } from "./story-documents.ts";
import { standing } from "./story-state.ts";

t.setTimeout(300_000);
const skip = skipWithoutNix() || brokerMissing("mosquitto") || (needs("xorriso").skip ?? false);
const passwords = { "edge-1": "at the broker: 7rue" };

t.test(
  "where a node reports is tried, kept and taken back with its generation",
  { skip },
  async (t) => {
    const broker = await startBroker(t, "mosquitto", { users: passwords });
    const other = await startBroker(t, "mosquitto", { users: { "edge-1": "another" } });
    const node = await storyNode(t);
    const boot = async ({ port }: Broker | { readonly port: number }, password: string) => {
      const userData = cloudConfig({ motd: "x", broker: { port, password } });
      node.insert("iso", { instanceId: "i-1", userData });
      return node.firstlight(["boot"]);
    };
    t.match(await boot(broker, passwords["edge-1"]), {
      code: 0,
      stdout: /^committed: generation 1/,
    });
    await reportsTo(t, node, broker, passwords["edge-1"]);

    t.match(await boot(broker, "wrong"), { code: 3, stdout: /^rolled-back: .*link: / });
    await reportsTo(t, node, broker, passwords["edge-1"]);
    t.match(await boot({ port: 1 }, passwords["edge-1"]), { code: 3, stdout: /^rolled-back: / });
    await reportsTo(t, node, broker, passwords["edge-1"]);
    t.equal(standing(node).generation, 1);

    t.match(await boot(other, "another"), { code: 0, stdout: /^committed: generation 2/ });
    await reportsTo(t, node, other, "another");
    t.match(await node.firstlight(["rollback"]), { code: 0, stdout: /^committed/ });
    await reportsTo(t, node, broker, passwords["edge-1"]);
  },
);

async function reportsTo(t: Test, node: StoryNode, { port }: Broker, password: string) {
  const link = await loadLinkSettings(node.io, {});
  t.equal(link?.port, port);
  t.equal(link?.password?.reveal(), password);
}
