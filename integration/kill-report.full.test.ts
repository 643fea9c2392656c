import t, { type Test } from "tap";
import { needs } from "#agent/datasources/images/make-images.ts";
import { parseTopic } from "#protocol/topics.ts";
import { brokerMissing, startBroker } from "./brokers.ts";
import { type Heard, listen } from "./fleet-listener.ts";
import { skipWithoutNix } from "./nix-machine.ts";
import { type StoryNode, storyNode } from "./story.ts";
import { cloudConfig } from "./story-documents.ts";
import { inconsistencies, lastOutcome, leftovers } from "./story-state.ts";

t.setTimeout(600_000);
const skip = skipWithoutNix() || brokerMissing("mosquitto") || (needs("xorriso").skip ?? false);
/** Of everything that a boot does, at least so much is telling. */
const leastPoints = 15;

t.test(
  "a boot that reports, killed at each of its effects, loses no event",
  { skip },
  async (t) => {
    const broker = await startBroker(t, "mosquitto");
    const mqtt = { host: broker.host, port: broker.port, tls: false };
    const node = await storyNode(t, { settings: { stateVersion: "25.11", report: { mqtt } } });
    node.insert("iso", { instanceId: "i-1", userData: cloudConfig({ motd: "x" }) });
    t.match(await boot(node, []), { code: 0, stdout: /^committed: generation 1/ });
    const start = node.machine.snapshot();

    const undisturbed = await boot(node, ["--report"], { FIRSTLIGHT_COUNT_EFFECTS: "1" });
    t.match(undisturbed, { code: 0, stdout: /^unchanged/ });
    const effects = [...undisturbed.stderr.matchAll(/^effect ([0-9]+) (.*)$/gm)];
    t.ok(effects.length >= leastPoints, `${effects.length} effects`);
    for (const [, number = "", name = ""] of effects) {
      await t.test(`killed before effect ${number}, ${name}`, async (t) => {
        node.machine.restore(start);
        const fleet = await listen(t, broker);
        const killed = await boot(node, ["--report"], { FIRSTLIGHT_DIE_AT_EFFECT: number });
        t.equal(killed.signal, "SIGKILL");
        t.match(await boot(node, ["--report"]), { code: 0, stdout: /^unchanged/ });
        await isWhole(t, node, fleet.heard);
      });
    }
  },
);

function boot(
  node: StoryNode,
  more: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  return node.firstlight(["boot", ...more], { program: "bundle", env });
}

/** Every event since the first boot is there, its commit among them, and the node is as it was. */
async function isWhole(t: Test, node: StoryNode, heard: readonly Heard[]): Promise<void> {
  t.same([...inconsistencies(node), ...leftovers(node)], []);
  t.equal(lastOutcome(node), "unchanged");
  const events = heard.filter(
    ({ topic, retained }) => !retained && parseTopic(topic)?.name === "event",
  );
  const streams = new Set(events.map(({ envelope }) => envelope.stream));
  t.equal(streams.size, 1, "one stream, whoever of the two began it");
  const seqs = [...new Set(events.map(({ envelope }) => envelope.seq))].sort((a, b) => a - b);
  t.same(
    seqs,
    seqs.map((_, index) => index + 1),
    "none is missing",
  );
  const ends = events.filter(({ topic }) => topic.endsWith("/event/boot.finished"));
  t.match(ends[0], { body: { outcome: "committed", generation: 1 } }, "that of the first boot");
  t.match(ends.at(-1), { body: { outcome: "unchanged" } }, "that of the last one");
}
