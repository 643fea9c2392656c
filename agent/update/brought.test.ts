import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import { sha256 } from "#core/canonical-json.ts";
import { hostClock } from "#core/host-io.ts";
import { silentLog } from "#core/log.ts";
import { fakeFleet, type HonestSet } from "#protocol/trust/fake-fleet.ts";
import { message } from "#protocol/trust/sign/message.ts";
import { hostCourier } from "#provisioner/system/fetch/host-courier.ts";
import { readAssigned, readRelease } from "./assignment.ts";
import { bringDocument } from "./bring.ts";
import { broughtMirror, importUpdate } from "./brought.ts";
import { fakeReceiver } from "./fake-receiver.ts";
import { documentPlace, mirrorsOf } from "./mirrors.ts";
import { broughtFile } from "./places.ts";

const stick = "/mnt/a stick";

/** A node of a fleet without a network, and somebody who brings it sticks. */
function offlineNode(t: Test) {
  const root = t.testdir();
  const fleet = fakeFleet();
  const node = fakeReceiver(root, fleet);
  const { io } = node;
  const put = (file: string, content: string | Uint8Array) => {
    const at = path.join(root, stick, file);
    mkdirSync(path.dirname(at), { recursive: true });
    writeFileSync(at, content);
  };
  /** A set as an export writes it: what was signed, and the documents beside it. */
  const write = ({ documents, ...set }: HonestSet) => {
    put("desired.json", message(set));
    for (const [target, text] of Object.entries(documents))
      put(documentPlace({ name: target.slice("release/".length), sha256: sha256(text) }), text);
  };
  const keepDocument = async () => {
    const assignment = readAssigned(io.files)?.assignment;
    if (assignment == null) return;
    const brought = broughtMirror(io.files, assignment.updateId);
    const mirrors = mirrorsOf(assignment, { settings: {}, brought });
    const courier = hostCourier(io.files);
    const signal = new AbortController().signal;
    const machine = { ...io, clock: hostClock }; // how slow a mirror is, is a matter of real time
    const deps = { io: machine, log: silentLog, settings: {}, courier, mirrors, signal };
    await bringDocument(deps, assignment.release);
  };
  const submit = (bytes: Uint8Array) => node.submit(bytes);
  const bring = () => importUpdate({ io, log: silentLog, submit, keepDocument }, stick);
  return { root, fleet, node, io, put, write, bring };
}

t.test("an update on a stick is taken, and its document stays when the stick goes", async (t) => {
  const { root, fleet, io, write, bring } = offlineNode(t);
  write(fleet.publish());
  t.match(await bring(), { kind: "assigned", updateId: "update-1", release: "release/one" });
  t.equal(broughtMirror(io.files, "update-1"), "file:///mnt/a%20stick/");
  t.equal(broughtMirror(io.files, "update-2"), undefined, "of another update it is nothing");
  rmSync(path.join(root, stick), { recursive: true });
  const assigned = readAssigned(io.files);
  if (assigned?.assignment == null) return t.fail("nothing is assigned");
  t.match(await readRelease({ ...assigned, assignment: assigned.assignment }), { name: "one" });
});

t.test("a stick is believed no more than a broker is", async (t) => {
  const { fleet, node, io, write, put, bring } = offlineNode(t);
  await t.rejects(bring(), {
    code: "update/import-invalid",
    message: /desired\.json does not exist/,
  });
  put("desired.json", Buffer.alloc(300 * 1024));
  await t.rejects(bring(), { code: "update/import-invalid" });
  put("desired.json", "{}");
  await t.rejects(bring(), { code: "trust/malformed" });

  const old = fleet.publish();
  write(fleet.publish());
  await bring();
  const before = node.assigned();
  const brought = io.files.readText(broughtFile);
  write(old);
  await t.rejects(bring(), { code: "trust/rollback" });
  const another = fleet.forNode({ fleet: "shops", node: "another" });
  for (let n = 0; n < 3; n++) write(another.publish());
  await t.rejects(bring(), { code: "trust/other-node" });
  write(fakeFleet().publish());
  await t.rejects(bring(), { code: "trust/threshold" });
  t.equal(node.assigned(), before, "what was assigned stays");
  t.equal(io.files.readText(broughtFile), brought);
});

t.test("a document that was changed on the stick is not kept", async (t) => {
  const { fleet, io, write, put, bring } = offlineNode(t);
  const set = fleet.publish();
  write(set);
  const [[, text = ""] = []] = Object.entries(set.documents);
  put(documentPlace({ name: "one", sha256: sha256(text) }), text.replace("edge-17", "edge-66"));
  t.match(await bring(), { kind: "assigned" }, "what is signed counts");
  const assigned = readAssigned(io.files);
  if (assigned?.assignment == null) return t.fail("nothing is assigned");
  const { assignment } = assigned;
  await t.rejects(readRelease({ ...assigned, assignment }), { code: "update/release-missing" });
});

t.test("a message that is only a part of a root chain is taken, and is no mirror", async (t) => {
  const { root, fleet, io, write, put, bring } = offlineNode(t);
  write(fleet.publish());
  await bring();
  const brought = io.files.readText(broughtFile);
  rmSync(path.join(root, stick), { recursive: true });
  fleet.rotate("timestamp");
  put("desired.json", message({ root: fleet.roots.slice(1) }));
  t.match(await bring(), { kind: "unchanged", updateId: "update-1" });
  t.equal(io.files.readText(broughtFile), brought);
});
