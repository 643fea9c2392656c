import t from "tap";
import type { Release } from "#generated/protocol/trust/release.ts";
import { fakeEntry, fakeManifest, makeKeys } from "#provisioner/system/fetch/fake-closure.ts";
import { parseSha256 } from "#provisioner/system/fetch/nix-hash.ts";
import { signManifest } from "#provisioner/system/fetch/sign-manifest.ts";
import { manifestDigest } from "#provisioner/system/fetch/verify-manifest.ts";
import { type FakeNode, failingOnTrial, fakeNode, sick } from "./fake-update.ts";
import { readCommitted } from "./kept-release.ts";

t.setTimeout(300_000);

const keys = makeKeys("builders-1");
const fetch = { mirrors: ["file:///mirror"], trustedKeys: [keys.publicKey] };
type Closure = NonNullable<Release["closure"]>;

/** Publishes a system that nobody renders; the store has it, so that nothing is to be brought. */
function publish(node: FakeNode, name: string, { kernel = "" } = {}): Closure {
  const entry = fakeEntry(name, Buffer.from(name));
  const { path: toplevel, narHash, narSize } = entry;
  const { m } = node;
  m.write(`${toplevel}/bin/switch-to-configuration`, toplevel);
  m.write(`${toplevel}/kernel-params`, `quiet${kernel}`);
  m.write(`${toplevel}/etc/systemd/system/firstlight-first-boot.service`, "[Unit]\n");
  const inputDigest = "ab".repeat(32);
  const manifest = fakeManifest([entry], inputDigest);
  m.write(`/mirror/closure/${inputDigest}.json`, signManifest(manifest, [keys.secret]));
  m.faults.answers.set("nix-store", ({ args }) => {
    if (args.includes("--print-invalid")) return { stdout: "" };
    if (args[0] !== "--dump-db") return undefined;
    return { stdout: `${toplevel}\n${parseSha256(narHash)}\n${narSize}\n\n0\n` };
  });
  return { toplevel, inputDigest, manifestDigest: manifestDigest(manifest) };
}

t.test("a release that is a built system is fetched, tried, committed, and stays", async (t) => {
  const node = await fakeNode(t);
  const closure = publish(node, "edge-built");
  node.assign({ closure });
  t.match(await node.run({ fetch }), { update: { state: "SUCCEEDED", attempt: 1 } });
  t.notOk(node.states().includes("BUILDING"), "nothing is built");
  t.equal(node.m.running(), closure.toplevel);
  t.equal(node.m.bootDefault(), closure.toplevel);
  t.match(readCommitted(node.start().io.files), { updateId: "u-1" });

  node.m.cutPower();
  t.match(await node.boot(), { outcome: "unchanged", sourcesDigest: null }, "no place is asked");
  node.userData = "#cloud-config\nhostname: another\n";
  t.match(await node.boot(), { outcome: "unchanged" }, "the cloud's user-data counts no more");
  t.equal(node.m.running(), closure.toplevel);

  node.assign({ id: "u-2", name: "edge-2", number: 2 });
  t.match(await node.run({ fetch }), { update: { state: "SUCCEEDED" } }, "a spec comes after it");
  t.not(node.m.running(), closure.toplevel);
});

t.test("a release that names its parts is taken when each of them is in it", async (t) => {
  const node = await fakeNode(t);
  const closure = publish(node, "edge-built");
  const system = { name: "system", length: 1, sha256: closure.manifestDigest };
  const spec = { name: "spec", length: 1, sha256: "0".repeat(64) };
  node.assign({ closure, document: { parts: [system, spec] } });
  t.match(await node.run({ fetch }), {
    update: { state: "REJECTED", code: "update/bundle-incomplete", reason: /spec 0000.*not come/ },
  });
  t.not(node.m.running(), closure.toplevel);
  node.assign({ id: "u-2", closure, document: { parts: [system] } });
  t.match(await node.run({ fetch }), { update: { state: "SUCCEEDED" } });
});

t.test("one that is not healthy is taken back and held back", async (t) => {
  const node = await fakeNode(t);
  const before = node.m.running();
  const closure = publish(node, "edge-sick");
  node.assign({ closure, document: { health: sick } });
  const probe = failingOnTrial(node.m);
  t.match(await node.run({ fetch, probe }), {
    update: { state: "ROLLED_BACK", code: "update/not-healthy", reason: /ready: must exist/ },
  });
  t.equal(node.m.running(), before);
  t.match(await node.boot({ fetch, probe }), { outcome: "unchanged" });
  node.assign({ id: "u-2", closure, document: { health: sick } });
  t.match(await node.run({ fetch, probe }), {
    update: { state: "REJECTED", code: "update/release-denied" },
  });
  node.assign({ id: "u-3", name: "edge-3", number: 3, closure });
  t.match(
    await node.run({ fetch, probe }),
    { update: { state: "REJECTED", code: "system/release-denied" } },
    "nor under another number",
  );
});

t.test("one with another kernel goes on in the next boot, and is gone back from", async (t) => {
  const node = await fakeNode(t);
  const before = node.m.running();
  const closure = publish(node, "edge-kernel", { kernel: " kernel-new" });
  node.assign({ closure });
  t.match(await node.run({ fetch }), { update: { state: "REBOOTING" } });
  t.ok(node.restart());
  t.match(await node.boot(), { outcome: "committed" });
  t.equal(node.states().at(-1), "SUCCEEDED");
  t.equal(node.m.bootDefault(), closure.toplevel);
  t.match(await node.boot(), { outcome: "unchanged" });

  const other = publish(node, "edge-other", { kernel: " kernel-other" });
  node.assign({ id: "u-2", name: "edge-2", number: 2, closure: other });
  t.match(await node.run({ fetch }), { update: { state: "REBOOTING" } });
  node.m.bootNext(closure.toplevel);
  node.m.cutPower();
  await node.boot();
  t.equal(node.states().at(-1), "ROLLED_BACK");
  t.equal(node.m.running(), closure.toplevel, "the release from before");
  t.not(before, closure.toplevel);
});

t.test("what the fleet withdraws while it is fetched ends at once", async (t) => {
  const node = await fakeNode(t);
  const before = node.m.running();
  const closure = publish(node, "edge-built");
  const answer = node.m.faults.answers.get("nix-store");
  let look = () => {};
  let isAborted = false;
  node.m.faults.answers.set("nix-store", (request) => {
    const { args, signal } = request;
    if (!args.includes("--print-invalid")) return answer?.(request);
    return new Promise((resolve) => {
      signal?.addEventListener("abort", () => {
        isAborted = true;
        resolve({ code: null, aborted: true });
      });
      node.withdraw();
      look();
    });
  });
  node.assign({ closure });
  const onChange = (call: () => void) => {
    look = call;
    return () => {};
  };
  t.match(await node.run({ fetch, onChange }), {
    update: { state: "CANCELED", reason: "the fleet assigns it no longer" },
  });
  t.ok(isAborted);
  t.equal(node.states().at(-2), "DOWNLOADING");
  t.equal(node.m.running(), before);
  t.match(await node.boot(), { outcome: "unchanged" });
});

t.test("only the system whose manifest was signed is taken", async (t) => {
  const node = await fakeNode(t);
  const before = node.m.running();
  const closure = publish(node, "edge-built");
  const digest = "0".repeat(64);
  const wrong = [
    [{ ...closure, manifestDigest: digest }, "update/closure-mismatch", fetch],
    [{ ...closure, toplevel: `${closure.toplevel}-2` }, "update/closure-mismatch", fetch],
    [closure, "system/closure-untrusted", { ...fetch, trustedKeys: [] }],
    [{ ...closure, inputDigest: digest }, "system/closure-not-found", fetch],
    [closure, "system/closure-not-found", { ...fetch, mirrors: [] }],
  ] as const;
  for (const [number, [given, code, from]] of wrong.entries()) {
    node.assign({ id: `u-${number}`, name: `edge-${number}`, number, closure: given });
    t.match(await node.run({ fetch: from }), { update: { code } }, code);
  }
  node.assign({ id: "u-9", closure, document: { health: { checks: [{ type: "guess" }] } } });
  t.match(await node.run({ fetch }), {
    update: { state: "REJECTED", code: "update/release-invalid", reason: /checks/ },
  });
  t.equal(node.m.running(), before);
});
