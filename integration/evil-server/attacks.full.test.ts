import t, { type Test } from "tap";
import { maxMessageBytes } from "#protocol/message.ts";
import { fakeFleet } from "#protocol/trust/fake-fleet.ts";
import { message } from "#protocol/trust/sign/message.ts";
import type { TrustedVersions } from "#protocol/trust/trusted.ts";
import { type Broker, brokerKinds, brokerMissing, startBroker } from "../brokers.ts";
import { type FleetListener, listen } from "../fleet-listener.ts";
import { attackedNode } from "./attacked-node.ts";
import { type Attack, attacks, type Scene } from "./attacks.ts";

t.setTimeout(600_000);

/** An attack on a node over a broker, and the next good update after it. */
async function attack(
  t: Test,
  { send, code, advanced = {}, withdraws, heal, name }: Attack,
  { broker, listener, node }: { broker: Broker; listener: FleetListener; node: string },
): Promise<void> {
  const fleet = fakeFleet({ node: { fleet: "plant-7", node } });
  const attacked = await attackedNode(t, broker, { fleet });
  const { topics, root, answered } = attacked;
  const push = (bytes: Uint8Array) =>
    listener.publish(topics.of("desired"), Buffer.from(bytes), true);
  const past = [fleet.publish(), fleet.publish(), fleet.publish()];
  await push(message(past[2] ?? {}));
  const stop = attacked.start();
  const taken = await answered(1);
  t.match(taken, { kind: "assigned", updateId: "update-3" });
  const before = root.assigned();

  const scene: Scene = { fleet, past, next: fleet.publish(), node: root };
  const bytes = send(scene);
  const isTaken = bytes.length <= maxMessageBytes;
  await push(bytes); // what is larger than a node takes stays with the broker
  if (isTaken) {
    const told = await listener.wait(
      "the refusal",
      ({ topic }) => topic === topics.with("event", "desired.refused"),
    );
    t.match(told.body, { code }, String(told.body["message"]));
    const {
      timestamp,
      snapshot,
      targets,
      director,
      root: chain,
    } = taken.trusted as TrustedVersions;
    const expected = { root: chain, timestamp, snapshot, targets, director, ...advanced };
    t.same(told.body["trusted"], expected, "what the fleet is told that the node believes");
    t.same(attacked.answers[1]?.trusted, expected, "what it believes");
  }
  if (name.includes("factory reset")) t.equal(root.assigned(), undefined);
  else if (withdraws) t.match(JSON.parse(root.assigned() ?? ""), { assignment: null });
  else t.equal(root.assigned(), before, "nothing else is assigned");

  heal?.(scene);
  const good = fleet.publish({
    releases: [
      { name: "one", number: 1 },
      { name: "good", number: 7 },
    ],
    ...{ closures: [], assigned: "good", revoked: [] },
  });
  await push(message(good));
  t.match(await answered(isTaken ? 3 : 2), {
    kind: "assigned",
    updateId: good.director.signed.targets["release/good"]?.custom?.update?.id,
  });
  t.match(JSON.parse(root.assigned() ?? "null"), {
    assignment: { release: { name: "good", number: 7 } },
    documents: { "release/good": /"number":7/ },
  });
  t.equal(attacked.answers.length, isTaken ? 3 : 2, "the broker has forgotten what was refused");
  t.same(root.io.executed, [], "and no process was started");
  await stop();
  await listener.publish(topics.of("desired"), "", true);
}

/** What a broker can carry: MQTT has no message of 300 MB. */
const carried = attacks.filter(({ name }) => name !== "a message of 300 MB");

for (const kind of brokerKinds) {
  t.test(kind, { skip: brokerMissing(kind) }, async (t) => {
    const broker = await startBroker(t, kind);
    const listener = await listen(t, broker);
    for (const [index, each] of carried.entries()) {
      await t.test(`${each.kind}: ${each.name}`, (t) =>
        attack(t, each, { broker, listener, node: `edge-${100 + index}` }),
      );
    }
  });
}
