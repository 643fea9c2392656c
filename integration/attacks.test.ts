import t from "tap";
import { fakeReceiver } from "#agent/update/fake-receiver.ts";
import { fakeFleet } from "#protocol/trust/fake-fleet.ts";
import { message } from "#protocol/trust/sign/message.ts";
import type { TrustedVersions } from "#protocol/trust/trusted.ts";
import { attacks, type Scene } from "./evil-server/attacks.ts";

t.ok(attacks.length >= 22, `${attacks.length} attacks`);

for (const { kind, name, send, code, advanced = {}, heal } of attacks) {
  t.test(`${kind}: ${name}`, async (t) => {
    const fleet = fakeFleet();
    const node = fakeReceiver(t.testdir(), fleet);
    const past = [fleet.publish(), fleet.publish(), fleet.publish()];
    const taken = await node.submit(message(past[2] ?? {}));
    t.match(taken, { kind: "assigned", updateId: "update-3" });
    const before = node.assigned();
    t.ok(before);

    const scene: Scene = { fleet, past, next: fleet.publish(), node };
    const answer = await node.submit(send(scene));
    t.match(answer, { kind: "refused", code }, answer.message ?? answer.kind);
    const { timestamp, snapshot, targets, director, root } = taken.trusted;
    const expected: TrustedVersions = {
      ...{ root, timestamp, snapshot, targets, director },
      ...advanced,
    };
    t.same(answer.trusted, expected, "what is believed");
    if (name.includes("factory reset")) t.equal(node.assigned(), undefined);
    else t.equal(node.assigned(), before, "nothing else is assigned");

    heal?.(scene);
    const release = { name: "good", number: 7 };
    const good = fleet.publish({
      releases: [{ name: "one", number: 1 }, release],
      closures: [],
      assigned: "good",
      revoked: [],
    });
    t.match(
      await node.submit(message(good)),
      {
        kind: "assigned",
        updateId: good.director.signed.targets["release/good"]?.custom?.update?.id,
      },
      "the next good update is taken",
    );
    t.match(JSON.parse(node.assigned() ?? "null"), {
      v: 1,
      assignment: { release: { name: "good", number: 7 } },
      documents: { "release/good": /"number":7/ },
    });
  });
}
