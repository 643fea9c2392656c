import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t, { type Test } from "tap";
import { needs } from "#agent/datasources/images/make-images.ts";
import { askStatus } from "#cli/ask-status.ts";
import { hostClock, hostIo } from "#core/host-io.ts";
import { silentLog } from "#core/log.ts";
import { runProcess } from "#core/run-process.ts";
import { systemClient } from "#provisioner/system/client.ts";
import { askCourierDoor, systemOverSocket } from "#provisioner/system/sides/connect.ts";
import { rawClient } from "#provisioner/system/sides/fake-doors.ts";
import type { ChangeReason, Verdict } from "#provisioner/system/system.ts";
import { filesBelow } from "./files-below.ts";
import { qemuQ35 } from "./machines/qemu-q35.ts";
import { writeMachine } from "./machines/write-machine.ts";
import { skipWithoutNix } from "./nix-machine.ts";
import { type RootSide, startRootSide } from "./root-side.ts";
import { rootSideOf, seedWith, summary } from "./sides/node.ts";
import { programs, storyNode } from "./story.ts";
import { cloudConfig } from "./story-documents.ts";
import { inconsistencies, standing } from "./story-state.ts";

t.setTimeout(600_000);

const reason: ChangeReason = { by: "apply", why: "a test", instanceId: "i-1" };
const healthy: Verdict = { healthy: true, reasons: ["all passed"], passes: 3, ms: 1 };
const longIdle = ["--idle", "1h"];

/** A machine in a directory with a NoCloud seed, for the driver that only says its commands. */
function dryMachine(t: Test): string {
  const root = mkdtempSync(path.join(tmpdir(), "sides-"));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  writeMachine(root, qemuQ35);
  const seed = path.join(root, "var/lib/cloud/seed/nocloud");
  mkdirSync(seed, { recursive: true });
  writeFileSync(path.join(seed, "meta-data"), "instance-id: i-1\n");
  writeFileSync(path.join(seed, "user-data"), cloudConfig({ motd: "the first" }));
  return root;
}

function firstlight(root: string, ...args: readonly string[]) {
  const argv = [programs.source, ...args, "--root", root, "--driver", "dry"];
  return runProcess({ file: process.execPath, args: argv, timeoutMs: 120_000 }, process.env);
}

/** What the root side was asked to do, in order. */
function asked({ lines }: RootSide): readonly string[] {
  return lines.flatMap((line) => /side\.answered door=operator kind=(\S+)/.exec(line)?.[1] ?? []);
}

t.test("a boot changes the machine through the root side, where there is one", async (t) => {
  const root = dryMachine(t);
  const side = await startRootSide(t, { root }, ["--driver", "dry", ...longIdle]);
  t.equal(statSync(side.operator).mode & 0o777, 0o600);

  const first = await firstlight(root, "boot");
  t.match(first, { code: 0, stdout: /^committed: generation 1 / }, first.stderr);
  t.match(first.stderr, "would run: nix-instantiate", "progress crosses the socket");
  t.same(asked(side), ["build", "plan", "runs", "try", "commit"]);
  side.process.kill("SIGTERM");
  t.equal(await side.ended, 0);
  t.throws(() => statSync(side.operator), { code: "ENOENT" });

  const brief = await startRootSide(t, { root }, ["--driver", "dry", "--idle", "10ms"]);
  t.equal(await brief.ended, 0, "it ends when nobody needs it");

  const again = await startRootSide(t, { root }, ["--driver", "dry", ...longIdle]);
  t.match(await firstlight(root, "boot"), { code: 0, stdout: /^unchanged/ });
  t.match(await firstlight(root, "history"), { code: 0, stdout: /committed .* first boot of i-1/ });
  t.same(asked(again), [], "a boot with nothing to do asks it nothing");
  const io = hostIo({ root });
  t.match(await askStatus(io, silentLog), { state: "none", bootDefault: { generation: 1 } });
  again.process.kill("SIGKILL");
  await again.ended;
  t.equal(await askStatus(io, silentLog), undefined, "who is not there tells nothing");
});

t.test("a socket that nobody answers at is told, and the boot goes on", async (t) => {
  const root = dryMachine(t);
  const side = await startRootSide(t, { root }, ["--driver", "dry", ...longIdle]);
  side.process.kill("SIGKILL");
  await side.ended;
  t.ok(statSync(side.operator).isSocket(), "as a kill leaves it");
  const run = await firstlight(root, "boot");
  t.match(run, { code: 0, stdout: /^committed/, stderr: /system\.in-process .*side\/unreachable/ });
  const next = await startRootSide(t, { root }, ["--driver", "dry", ...longIdle]);
  t.match(await askCourierDoor({ path: next.courier, clock: hostClock }, { kind: "status" }), {
    state: "none",
    bootDefault: { generation: 1 },
  });
  const second = await firstlight(root, "system");
  t.match(second, { code: 1, stderr: /side\/listen-failed/ }, "there is one root side");
});

t.test("a taken-over network side changes nothing, and root is answered", async (t) => {
  const root = dryMachine(t);
  const env = { FIRSTLIGHT_COUNT_EFFECTS: "1" };
  const side = await startRootSide(t, { root, env }, ["--driver", "dry", ...longIdle]);
  const before = filesBelow(root);
  const begun = side.lines.length;
  const operator = systemOverSocket({ path: side.operator, clock: hostClock });
  const root1 = systemClient(operator);

  const clients = await Promise.all(Array.from({ length: 100 }, () => rawClient(t, side.courier)));
  for (const [index, client] of clients.entries()) {
    if (index % 4 === 0) client.ask({ kind: "build", sources: {}, reason });
    if (index % 4 === 1) client.send("{".repeat(500_000));
    if (index % 4 === 2) client.send(Buffer.alloc(65_536));
    if (index % 4 === 3) client.send('{"v":1,'); // and no end
  }
  t.match(await root1.status(), { state: "none" }, "while a hundred are there");
  for (const client of clients) client.socket.destroy();
  t.match(await root1.status(), { state: "none" });
  const kept = await rawClient(t, side.courier);
  kept.ask({ kind: "status" });
  t.match(await kept.answer(), { result: { state: "none" } }, "and the next honest one as well");

  t.same(
    side.lines.slice(begun).filter((line) => line.startsWith("effect ")),
    [],
    "not one effect",
  );
  t.same(filesBelow(root), before);
  operator.close();
});

const skip = skipWithoutNix() || (needs("xorriso").skip ?? false);
t.test("with real Nix, through the root side", { skip }, async (t) => {
  const node = await storyNode(t);
  const side = await rootSideOf(t, node);
  node.insert("iso", seedWith("the first"));
  const first = await node.firstlight(["boot"], { record: true });
  t.match(first, { code: 0, stdout: /^committed: generation 1 / }, summary(first));
  t.same(
    first.processes.filter(({ argv }) => argv[0]?.startsWith("nix")),
    [],
    "the boot itself starts no Nix",
  );
  t.same(asked(side), ["build", "plan", "runs", "try", "commit"]);
  node.insert("iso", seedWith("the second"));
  t.match(await node.firstlight(["boot"]), { code: 0, stdout: /generation 2/ });
  t.match(await node.firstlight(["rollback"]), { code: 0, stdout: /generation 3/ });
  t.equal(node.io.files.readText("/etc/motd"), "the first\n");
  t.same(inconsistencies(node), []);
});

t.test("two agents at once, and nixos-rebuild in the middle of a trial", { skip }, async (t) => {
  const node = await storyNode(t);
  const { machine } = node;
  const side = await rootSideOf(t, node);
  node.insert("iso", seedWith("the first"));
  t.match(await node.firstlight(["boot"]), { code: 0 });
  node.insert("iso", seedWith("the second"));

  const operator = systemOverSocket({ path: side.operator, clock: hostClock });
  const c = systemClient(operator);
  t.match(await c.recover(), { state: "clean" });
  const { plan } = await c.planGeneration(1, reason);
  const trial = await c.try(plan);
  for (const args of [["boot"], ["boot", "--in-process"], ["apply"], ["rollback"]]) {
    const run = await node.firstlight(args);
    t.match(run, { code: 75, stderr: /changing this system/ }, args.join(" "));
  }
  t.match(await c.status(), { state: "tried", transaction: trial.transaction });

  const hand = await machine.build(
    `{ ... }: { boot.isContainer = true; networking.hostName = "hand"; }`,
  );
  await machine.run(["nix-env", "-p", machine.systemProfile, "--set", hand]);
  await machine.run([`${hand}/bin/switch-to-configuration`, "switch"]);
  await t.rejects(c.commit(trial, healthy), { code: "system/trial-lost", message: /-hand/ });
  t.equal(machine.currentSystem(), hand, "what a person chose is left alone");
  t.equal(machine.bootDefault(), hand);
  operator.close();

  const run = await node.firstlight(["boot"]);
  t.match(run, { code: 0, stdout: /^committed/ }, summary(run));
  t.same(inconsistencies(node), []);
  t.match(standing(node), { open: "none" });
  t.ok(hostIo({ root: machine.root }).files.stat("/run/firstlight/system.lock") === undefined);
});
