import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeReceiver } from "#agent/update/fake-receiver.ts";
import { fakeFleet } from "#protocol/trust/fake-fleet.ts";
import { type CommandContent, makeCommand } from "#protocol/trust/sign/make-metadata.ts";
import { message } from "#protocol/trust/sign/message.ts";
import { signMetadata } from "#protocol/trust/sign/sign-metadata.ts";
import { firstlight } from "./try-commands.ts";

// Each command is a process of its own.
t.setTimeout(600_000);

/** A directory with the settings of a node of a fleet. */
function settings(update: object = {}) {
  const content = {
    fleet: { root: "/etc/firstlight/root.json" },
    report: { fleet: "plant-7", node: "edge-17" },
    update,
  };
  return { etc: { firstlight: { "settings.json": JSON.stringify(content) } } };
}

t.test("commands that were taken are carried out by a process, once", async (t) => {
  const root = t.testdir(settings());
  const fleet = fakeFleet({ nowMs: Date.now() });
  const node = fakeReceiver(root, fleet);
  await node.submit(message(fleet.publish()));
  const { keys } = fleet.keysOf("director");
  const give = (n: number, name: CommandContent["name"]) => {
    const content: CommandContent = {
      ...{ node: fleet.node, id: `command-00000000-${n}`, name },
      ...{ issuedMs: fleet.nowMs, expiresMs: fleet.nowMs + 300_000 },
    };
    return node.submit(message(signMetadata(makeCommand(content), keys)), "cmd");
  };
  for (const [n, name] of ["ping", "collect-diagnostics", "rotate-credential"].entries())
    t.match(await give(n, name as CommandContent["name"]), { kind: "command" });
  const run = () => firstlight(["fleet-commands", "run", "--root", root, "--json"]);
  const first = run();
  t.equal(first.code, 0, first.stderr);
  t.match(JSON.parse(first.stdout), { v: 1, answered: 3, restarts: false });
  t.match(JSON.parse(run().stdout), { answered: 0 });
  const { stdout } = firstlight(["fleet-commands", "list", "--root", root]);
  t.match(stdout, /^20\S+ ping command-00000000-0: done$/m);
  t.match(stdout, /^20\S+ collect-diagnostics command-00000000-1: done$/m);
  t.match(stdout, /rotate-credential command-00000000-2: failed: command\/not-enrolled: /);
  const answer = await give(0, "ping");
  t.match(answer, { command: { isNew: false }, answer: { outcome: "done" } });
  t.match(firstlight(["fleet-commands", "sh", "--root", root]), { code: 4 });
});

t.test("an update comes from a directory, and by itself only where that is allowed", async (t) => {
  for (const removable of [false, true]) {
    const root = t.testdir(settings({ removable }));
    const fleet = fakeFleet({ nowMs: Date.now() });
    fakeReceiver(root, fleet);
    const stick = path.join(root, "run/firstlight/stick");
    mkdirSync(stick, { recursive: true });
    writeFileSync(path.join(stick, "desired.json"), message(fleet.publish()));
    const take = (...more: readonly string[]) =>
      firstlight(["update", "import", "/run/firstlight/stick", "--root", root, ...more]);
    const automatic = take("--automatic");
    if (removable) t.match(automatic, { code: 0, stdout: /^update-1: release\/one/ });
    else t.match(automatic, { stderr: /update\/import-held/ });
    t.match(take(), { code: 0, stdout: /^(as before: )?update-1: release\/one/ });
    writeFileSync(path.join(stick, "desired.json"), message(fakeFleet().publish()));
    t.match(take(), { stderr: /trust\/threshold/ });
  }
});
