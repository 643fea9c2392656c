import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t, { type Test } from "tap";
import { hostClock, hostIo } from "#core/host-io.ts";
import { type SystemClient, systemClient } from "#provisioner/system/client.ts";
import { fakeSources } from "#provisioner/system/fake-machine.ts";
import { fakeEntry, fakeManifest, makeKeys } from "#provisioner/system/fetch/fake-closure.ts";
import { signManifest } from "#provisioner/system/fetch/sign-manifest.ts";
import { systemOverSocket } from "#provisioner/system/sides/connect.ts";
import { type RawAnswer, rawClient } from "#provisioner/system/sides/fake-doors.ts";
import type { ChangeReason, Trial, Verdict } from "#provisioner/system/system.ts";
import { type RootSide, startRootSide } from "./root-side.ts";

t.setTimeout(300_000);

const reason: ChangeReason = { by: "apply", why: "a test", instanceId: "i-1" };
const healthy: Verdict = { healthy: true, reasons: ["all passed"], passes: 3, ms: 1 };
const sources = fakeSources("one");
const [ours, stranger] = [makeKeys("fleet-1"), makeKeys("fleet-1")];
const newline = "\n";
const line = (request: unknown, v: unknown = 1) => `${JSON.stringify({ v, request })}${newline}`;

/** A root side on a machine in a directory, whose effects can be counted. */
async function start(t: Test): Promise<{ root: string; side: RootSide; c: SystemClient }> {
  const root = mkdtempSync(path.join(tmpdir(), "hostile-"));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const settings = JSON.stringify({ fetch: { trustedKeys: [ours.publicKey] } });
  hostIo({ root }).files.write("/etc/firstlight/settings.json", settings, { mode: 0o644 });
  const env = { FIRSTLIGHT_COUNT_EFFECTS: "1" };
  const side = await startRootSide(t, { root, env }, ["--driver", "dry", "--idle", "1h"]);
  const system = systemOverSocket({ path: side.operator, clock: hostClock });
  t.teardown(() => system.close());
  return { root, side, c: systemClient(system) };
}

const effects = ({ lines }: RootSide) =>
  lines.filter((text) => text.startsWith("effect ")).map((text) => text.replace(/.*\//, " "));

/** What the courier's door answers to these bytes, sent by a client of their own. */
async function answered(side: RootSide, bytes: string | Uint8Array): Promise<RawAnswer> {
  for (;;) {
    const client = await rawClient({ teardown: () => {} }, side.courier);
    client.send(bytes);
    const answer = await client.answer();
    client.socket.destroy();
    if (answer === undefined) throw new Error("the door closed without a word");
    if (answer.fault?.code !== "side/busy") return answer;
    await hostClock.sleep(1_000); // the pace of the door is not what is tested
  }
}

/** What somebody sends who has everything of the network side, and has seen what root sends. */
function attacks(trial: Trial): readonly (readonly [string, string | Uint8Array, string])[] {
  const commit = { kind: "commit", trial, verdict: healthy };
  const submit = (bytes: string) => line({ kind: "submit", topic: "desired", bytes });
  const manifest = fakeManifest([fakeEntry("evil", Buffer.from("evil"))], sources.digest);
  const unsigned = JSON.stringify({ manifest, signatures: [] });
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  return [
    ["no JSON", "commit!\n", "side/refused"],
    ["no UTF-8", Buffer.from([0xff, 0xfe, 0x0a]), "side/refused"],
    ["JSON that is no request", "[[[[[]]]]]\n", "side/refused"],
    ["nothing", newline, "side/refused"],
    ["a prototype", '{"v":1,"request":{"__proto__":{"kind":"commit"}}}\n', "side/refused"],
    ["another version", line({ kind: "status" }, 2), "side/version"],
    ["a version that is none", line({ kind: "status" }, "1"), "side/refused"],
    ["what root itself sends, to the letter", line(commit), "side/refused"],
    ["a kind in other letters", line({ ...commit, kind: "Commit" }), "side/refused"],
    ["two kinds", `{"v":1,"request":{"kind":"status","kind":"recover"}}\n`, "side/refused"],
    ["a question with more in it", line({ kind: "status", verdict: healthy }), "side/refused"],
    ["a digest that is a path", line({ kind: "runs", sourcesDigest: "../../etc" }), "side/refused"],
    ["a digest too long", line({ kind: "runs", sourcesDigest: "0".repeat(65) }), "side/refused"],
    ["a fetch", line({ kind: "fetch", signed: unsigned, sources, reason }), "side/refused"],
    ["a repair", line({ kind: "repair", deep: true, share: 1 }), "side/refused"],
    ["an update that nobody signed", submit(base64(unsigned)), "trust/not-enrolled"],
    ["the same once more", submit(base64(unsigned)), "trust/not-enrolled"],
    ["an update that is no base64", submit("../../etc/shadow"), "side/refused"],
    ["an update that is too large", submit("A".repeat(349_532)), "side/refused"],
    ["a line without an end", "x".repeat(400_000), "side/too-large"],
    ["two requests at once", line({ kind: "status" }).repeat(2), "side/out-of-turn"],
  ];
}

t.test("what a taken-over network side sends in the middle of a trial is refused", async (t) => {
  const { root, side, c } = await start(t);
  const trial = await c.try(await c.plan(await c.build(sources, reason)));
  const before = { effects: effects(side), files: readdirSync(root, { recursive: true }) };
  for (const [what, bytes, code] of attacks(trial)) {
    const answer = await answered(side, bytes);
    const said = answer.type === "result" ? answer.result : answer.fault;
    t.match(said, code.startsWith("trust/") ? { kind: "refused", code } : { code }, what);
  }
  t.match(
    { effects: effects(side), files: readdirSync(root, { recursive: true }) },
    before,
    "not one effect",
  );
  t.match(await c.status(), { state: "tried", transaction: trial.transaction });
  t.match(await answered(side, line({ kind: "status" })), { result: { state: "tried" } });
  t.match(await c.commit(trial, healthy), { toplevel: trial.toplevel }, "root goes on");
});

t.test(
  "a manifest that the network side made, changed or kept is refused by the root side",
  async (t) => {
    const { side, c } = await start(t);
    const entries = [
      fakeEntry("lib", Buffer.from("lib")),
      fakeEntry("evil", Buffer.from("x"), ["lib"]),
    ];
    const manifest = fakeManifest(entries, sources.digest);
    const older = fakeManifest(entries, "0".repeat(64));
    const anything = fakeManifest(entries);
    const signed = signManifest(manifest, [ours.secret]);
    const replaced = signed.replace(/"narSize": 3/, '"narSize": 4');
    const cases: readonly (readonly [string, string, string])[] = [
      ["no JSON", "it is fine, trust me", "system/manifest-invalid"],
      ["no manifest", "{}", "system/manifest-invalid"],
      ["a list without an end", "[".repeat(100_000), "system/manifest-invalid"],
      ["more in it", signed.replace("{", '{"script": "id",'), "system/manifest-invalid"],
      ["nobody's signature", signManifest(manifest, []), "system/closure-untrusted"],
      [
        "a key of the same name",
        signManifest(manifest, [stranger.secret]),
        "system/closure-untrusted",
      ],
      ["one byte changed", replaced, "system/closure-untrusted"],
      ["one of another change", signManifest(older, [ours.secret]), "system/closure-mismatch"],
      ["one of no change", signManifest(anything, [ours.secret]), "system/closure-mismatch"],
    ];
    t.not(replaced, signed);
    const before = effects(side).length;
    for (const [what, text, code] of cases) {
      await t.rejects(c.fetch(text, sources, reason), { code }, what);
      t.match(await c.status(), { state: "none" }, what);
    }
    const done = effects(side)
      .slice(before)
      .filter((text) => !/ (system\.lock|dry-machine\.json)$/.test(text));
    t.same(done, [], "nothing but the lock was touched");
    t.match(await c.history(), { generations: [], trials: [] });
  },
);
