import t from "tap";
import { sha256 } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { silentLog } from "#core/log.ts";
import type { Settings } from "#generated/agent/settings.ts";
import { fakeFleet, type Publication, releaseText } from "#protocol/trust/fake-fleet.ts";
import type { Offer } from "#protocol/trust/offer.ts";
import { message } from "#protocol/trust/sign/message.ts";
import { fakeNode, health, type Life } from "./fake-update.ts";
import { assignedFile, documentsDirectory } from "./places.ts";
import { receive } from "./receive.ts";
import { verifyAssigned } from "./verify-assigned.ts";

t.setTimeout(300_000);

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** A node that is assigned what a fleet has signed, and looks at that itself. */
async function signedNode(t: Parameters<typeof fakeNode>[0]) {
  const node = await fakeNode(t);
  const fleet = fakeFleet({ nowMs: Date.UTC(2026, 0, 1) });
  const rootFile = "/etc/firstlight/root.json";
  node.m.write(rootFile, JSON.stringify(fleet.firstRoot));
  node.m.write("/run/systemd/timesync/synchronized", "");
  const settings: Settings = { report: { ...fleet.node }, fleet: { root: rootFile } };
  const document = { spec: { version: 1, hostname: "fleet", health } };
  const releases = [{ name: "edge-1", number: 1, document }];
  const update: Publication["update"] = { id: "u-1" };
  return {
    node,
    fleet,
    /** The next message of the fleet, at its time of day. */
    send: (publication: Publication = {}, documents?: Offer["documents"]) => {
      const set = fleet.publish({ releases, assigned: "edge-1", update, ...publication });
      const bytes = message({ ...set, documents: documents ?? set.documents });
      const { io } = node.start();
      io.clock.jump(fleet.nowMs - io.clock.now());
      return receive(
        { topic: "desired", bytes },
        { io, log: silentLog, node: fleet.node, rootFile },
      );
    },
    document: releaseText({ name: "edge-1", number: 1, document }),
    run: (life: Life = {}) =>
      node.run({
        ...{ nowMs: fleet.nowMs, verify: verifyAssigned, ...life },
        settings: { ...settings, ...life.settings },
      }),
  };
}

t.test("a fleet that signs the same anew while it waits keeps it from nothing", async (t) => {
  const { node, fleet, send, run, document } = await signedNode(t);
  t.match(await send({}, {}), { kind: "assigned", updateId: "u-1" });
  const away = async () => {
    throw new Fault("system/fetch-failed", "no mirror is there");
  };
  t.match(await run({ bring: away }), { update: { state: "VERIFYING" } });
  fleet.nowMs += hourMs;
  t.match(await send({}, {}), { kind: "unchanged", updateId: "u-1" });
  const bring = async () => {
    node.m.write(`${documentsDirectory}/${sha256(document)}`, document);
    return document;
  };
  t.match(await run({ bring }), { update: { state: "SUCCEEDED" } });
});

t.test("between what is believed and what is assigned it waits for the message", async (t) => {
  const { node, fleet, send, run } = await signedNode(t);
  await send();
  const old = node.start().io.files.readText(assignedFile) ?? "";
  fleet.nowMs += hourMs;
  await send();
  const fresh = node.start().io.files.readText(assignedFile) ?? "";
  node.m.write(assignedFile, old); // whoever stored the message was killed between the two
  t.match(await run(), { update: { state: "VERIFYING" }, waits: { why: /is known/ } });
  node.m.write(assignedFile, fresh);
  t.match(await run(), { update: { state: "SUCCEEDED" } });
});

t.test("what expired while it waited for its time is waited for, not begun", async (t) => {
  const { node, fleet, send, run } = await signedNode(t);
  const before = node.m.running();
  const update = { id: "u-1", notBefore: "2026-01-03T00:00:00Z" };
  await send({ update });
  t.match(await run(), { update: { state: "SCHEDULED" } });
  fleet.nowMs += 3 * dayMs;
  t.match(await run(), {
    update: { state: "VERIFYING", code: "trust/expired", reason: /expired/ },
    waits: { why: /expired/ },
  });
  t.notOk(node.states().includes("DOWNLOADING"));
  t.equal(node.m.running(), before);
  t.match(await send({ update }), { kind: "unchanged" });
  t.match(await run(), { update: { state: "SUCCEEDED" } });
});

t.test("what expires, or is withdrawn, while it is made is not activated", async (t) => {
  const { node, fleet, send, run } = await signedNode(t);
  const before = node.m.running();
  await send();
  const expired = async () => {
    throw new Fault("trust/expired", "it expired during the build");
  };
  let isLater = false;
  const verify: typeof verifyAssigned = (assigned, d) =>
    isLater ? expired() : verifyAssigned(assigned, d);
  node.m.faults.answers.set("nix-store", ({ args }) => {
    if (args.includes("--realise")) isLater = true;
    return undefined;
  });
  t.match(await run({ verify }), {
    update: { state: "VERIFYING", code: "trust/expired" },
    waits: { why: "it expired during the build" },
  });
  t.strictSame(node.states().slice(-2), ["STAGED", "VERIFYING"]);
  t.equal(node.m.running(), before);
  node.m.faults.answers.delete("nix-store");
  fleet.nowMs += hourMs;
  await send({ revoked: ["release/edge-1"] });
  t.match(await run(), { update: { state: "CANCELED", code: "update/canceled" } });
  t.equal(node.m.running(), before);
});
