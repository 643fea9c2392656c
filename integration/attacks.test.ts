import t from "tap";
import { fakeReceiver } from "#agent/update/fake-receiver.ts";
import { fakeFleet } from "#protocol/trust/fake-fleet.ts";
import { message } from "#protocol/trust/sign/message.ts";
import type { TrustedVersions } from "#protocol/trust/trusted.ts";
import { attacks, type Scene } from "./evil-server/attacks.ts";
import { forge, stolen } from "./evil-server/forge.ts";

t.ok(attacks.length >= 22, `${attacks.length} attacks`);

for (const { kind, name, send, code, advanced = {}, withdraws, heal } of attacks) {
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
    else if (withdraws) t.match(JSON.parse(node.assigned() ?? ""), { assignment: null });
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

t.test("fast-forward: versions and time as far as numbers go, undone by new keys", async (t) => {
  const fleet = fakeFleet();
  const node = fakeReceiver(t.testdir(), fleet);
  await node.submit(message(fleet.publish()));
  node.setClock(0, false);
  const far = 2 ** 31;
  const next = fleet.publish();
  const director = forge(next.director, { version: far }, stolen(fleet, "director"));
  const meta = { ...next.snapshot.signed.meta, "director.json": { version: far } };
  const snapshot = forge(next.snapshot, { version: far, meta }, stolen(fleet, "snapshot"));
  const timestamp = forge(
    next.timestamp,
    { version: far, issued: "2026-02-01T05:00:00Z", meta: { "snapshot.json": { version: far } } },
    stolen(fleet, "timestamp"),
  );
  // All that can be done with it: what the owners allow, once more.
  t.match(await node.submit(message({ ...next, director, snapshot, timestamp })), {
    kind: "assigned",
    trusted: { timestamp: far, snapshot: far, targets: 2, director: far },
  });
  t.match(await node.submit(message(fleet.publish())), { kind: "refused", code: "trust/rollback" });
  const beyond = forge(
    timestamp,
    { version: far + 1, issued: "2089-01-01T00:00:00Z", expires: "2090-01-01T00:00:00Z" },
    stolen(fleet, "timestamp"),
  );
  t.match(await node.submit(message({ ...next, director, snapshot, timestamp: beyond })), {
    kind: "refused",
    code: "trust/expired",
  });
  for (const role of ["timestamp", "snapshot", "director"] as const) fleet.rotate(role);
  t.match(await node.submit(message(fleet.publish())), {
    kind: "assigned",
    trusted: { root: 3, timestamp: 1, snapshot: 1, targets: 4, director: 1 },
  });
});

t.test("a year without a link: 256 new roots come in as many messages as they need", async (t) => {
  const fleet = fakeFleet();
  const node = fakeReceiver(t.testdir(), fleet);
  await node.submit(message(fleet.publish()));
  for (let more = 0; more < 256; more++) fleet.rotate("timestamp");
  const set = fleet.publish();
  const links = fleet.roots.slice(1);
  let known = 1;
  for (let at = 0; at < links.length; at += 64) {
    const answer = await node.submit(message({ root: links.slice(at, at + 64) }));
    t.match(answer, { kind: "unchanged", trusted: { root: known + 64 } });
    known = answer.trusted.root;
  }
  t.equal(known, 257);
  t.match(await node.submit(message({ ...set, root: [] })), {
    kind: "assigned",
    trusted: { root: 257, timestamp: 1 },
  });
});
