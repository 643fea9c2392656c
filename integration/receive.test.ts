import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t, { type Test } from "tap";
import { assignedFile } from "#agent/update/places.ts";
import type { SubmitAnswer } from "#agent/update/receive.ts";
import { trustedStore } from "#agent/update/trusted-store.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { hostClock, hostIo } from "#core/host-io.ts";
import { type FakeFleet, fakeFleet } from "#protocol/trust/fake-fleet.ts";
import { makeCommand } from "#protocol/trust/sign/make-metadata.ts";
import { message } from "#protocol/trust/sign/message.ts";
import { signMetadata } from "#protocol/trust/sign/sign-metadata.ts";
import { versionsOf } from "#protocol/trust/trusted.ts";
import { askCourierDoor } from "#provisioner/system/sides/connect.ts";
import { type RootSide, startRootSide } from "./root-side.ts";

t.setTimeout(300_000);

const rootFile = "/etc/firstlight/root.json";

/** A machine in a directory whose image knows this fleet. */
function machine(t: Test, fleet: FakeFleet): string {
  const root = mkdtempSync(path.join(tmpdir(), "receive-"));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const { files } = hostIo({ root });
  const settings = { fleet: { root: rootFile }, report: fleet.node };
  files.write("/etc/firstlight/settings.json", JSON.stringify(settings), { mode: 0o644 });
  files.write(rootFile, prettyJson(fleet.firstRoot), { mode: 0o644 });
  return root;
}

const start = (t: Test, root: string, env: Readonly<Record<string, string>> = {}) =>
  startRootSide(t, { root, env: { FIRSTLIGHT_COUNT_EFFECTS: "1", ...env } }, [
    ...["--driver", "dry", "--idle", "1h"],
  ]);

async function submit(
  side: RootSide,
  bytes: Uint8Array,
  topic: "desired" | "cmd" = "desired",
): Promise<SubmitAnswer> {
  const request = { kind: "submit", topic, bytes: Buffer.from(bytes).toString("base64") } as const;
  return (await askCourierDoor({ path: side.courier, clock: hostClock }, request)) as SubmitAnswer;
}

const effectsOf = ({ lines }: RootSide) =>
  lines
    .filter((line) => line.startsWith("effect "))
    .map((line) => line.replace(/^effect \d+ /, ""));

t.test(
  "what the link brings is verified and stored by the root side, and starts nothing",
  async (t) => {
    const fleet = fakeFleet({ nowMs: Date.now() });
    const root = machine(t, fleet);
    const side = await start(t, root);
    const before = effectsOf(side).length;
    const old = message(fleet.publish());
    t.match(await submit(side, message(fleet.publish())), {
      kind: "assigned",
      updateId: "update-2",
      trusted: { root: 1, timestamp: 2, snapshot: 2, targets: 2, director: 2 },
    });
    t.match(await submit(side, old), { kind: "refused", code: "trust/rollback" });
    const ping = makeCommand({
      ...{ node: fleet.node, id: "0b5c0f0e-6c0b-4c3a", name: "ping" as const },
      ...{ issuedMs: fleet.nowMs, expiresMs: fleet.nowMs + 300_000 },
    });
    const command = message(signMetadata(ping, fleet.keysOf("director").keys));
    t.match(await submit(side, command, "cmd"), { kind: "command", command: { isNew: true } });
    t.match(await submit(side, command, "cmd"), { kind: "command", command: { isNew: false } });
    t.same(
      effectsOf(side)
        .slice(before)
        .map((name) => name.replace(/^.*\//, "")),
      [
        ...["trusted.json", "state.json", "assigned.json", "trust-refusal.json", "commands.json"],
        ...["commands-waiting", "commands-waiting"], // what a unit looks at; it came twice, and nobody has carried it out
      ],
    );
    // Many at once are looked at one after another, each as it came.
    const many = [fleet.publish(), fleet.publish(), fleet.publish()];
    const answers = await Promise.all(many.map((set) => submit(side, message(set))));
    const newest = answers.map(({ trusted }) => trusted.timestamp);
    t.equal(Math.max(...newest), 5, "the newest is believed, whichever came last");
    t.ok(answers.every(({ kind, code }) => kind === "assigned" || code === "trust/rollback"));
    t.match(await submit(side, message(fleet.publish())), {
      kind: "assigned",
      updateId: "update-6",
    });
  },
);

t.test(
  "the root side killed at every effect: the same bytes come again, and nothing is lost",
  async (t) => {
    let deaths = 0;
    for (let at = 1; at < 30; at++) {
      const fleet = fakeFleet({ nowMs: Date.now() });
      const root = machine(t, fleet);
      const bytes = message(fleet.publish());
      const dying = await start(t, root, { FIRSTLIGHT_DIE_AT_EFFECT: String(at) }).catch(
        () => null,
      );
      if (dying === null) continue; // it died before it listened
      const answer = await submit(dying, bytes).catch(() => null);
      if (answer !== null) {
        t.equal(answer.kind, "assigned");
        break;
      }
      deaths += 1;
      await dying.ended;
      const { damaged, trusted } = trustedStore(hostIo({ root }), rootFile).read();
      t.same(damaged, []);
      t.ok([0, 1].includes(versionsOf(trusted).timestamp), "as before, or as after");
      const next = await start(t, root);
      t.match(await submit(next, bytes), { kind: "assigned", updateId: "update-1" });
      t.match(JSON.parse(hostIo({ root }).files.readText(assignedFile) ?? ""), {
        assignment: { updateId: "update-1" },
      });
    }
    t.equal(deaths, 3);
  },
);
