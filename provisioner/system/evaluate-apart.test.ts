import { chmodSync, readlinkSync } from "node:fs";
import path from "node:path";
import t from "tap";
import type { ExecResult } from "#core/io.ts";
import { systemClient } from "./client.ts";
import { dryDerivation } from "./dry-commands.ts";
import { type FakeMachine, fakeMachine, fakeSources, systemOf } from "./fake-machine.ts";
import type { ChangeReason, SystemEvent } from "./system.ts";

const reason: ChangeReason = { by: "boot", why: "a test", instanceId: null };
const one = fakeSources("one");
const derivation = dryDerivation("/nix/store", one.digest, null);

/** Builds on a machine; what it told, and the evaluation as it was run. */
async function build(machine: FakeMachine, sources = one) {
  const { io, system } = machine.start();
  const events: SystemEvent[] = [];
  const c = systemClient(system, { onEvent: (event) => events.push(event) });
  const closure = await c.build(sources, reason);
  const plan = await c.plan(closure);
  const evaluation = io.executed.find(({ args, file }) =>
    [file, ...args].includes("nix-instantiate"),
  );
  return { closure, plan, evaluation, warnings: events.filter(({ type }) => type === "warning") };
}

t.test("with systemd and a Nix daemon, evaluation has no privileges", async (t) => {
  const machine = fakeMachine(t.testdir(), { daemon: true });
  const { closure, plan, evaluation, warnings } = await build(machine);
  t.match(closure, { toplevel: systemOf(one), derivation, evaluatedBy: "apart" });
  t.same([plan.warnings, warnings], [[], []]);
  t.equal(evaluation?.file, "systemd-run");
  for (const arg of [
    `--unit=firstlight-evaluate-${closure.transaction}`,
    "--property=DynamicUser=yes",
    "--property=PrivateNetwork=yes",
    "--property=ProtectSystem=strict",
    "--property=TemporaryFileSystem=/var:ro",
    `--property=BindReadOnlyPaths=${machine.root}/var/lib/firstlight/sources`,
    "--setenv=NIX_REMOTE=daemon",
    "allow-import-from-derivation",
  ]) {
    t.ok(evaluation?.args.includes(arg), arg);
  }
  t.notOk(evaluation?.args.includes("--add-root"), "what it may not do, root does");
  const root = `/nix/var/nix/gcroots/firstlight/${closure.transaction}-drv`;
  t.equal(readlinkSync(path.join(machine.root, root)), derivation);
});

t.test("without one of them root evaluates, and that is said", async (t) => {
  for (const [what, options] of [
    ["no daemon", { daemon: false }],
    ["no systemd", { systemd: false, daemon: true }],
  ] as const) {
    const { closure, plan, evaluation, warnings } = await build(fakeMachine(t.testdir(), options));
    t.match(closure, { toplevel: systemOf(one), evaluatedBy: "root" }, what);
    t.notOk(evaluation?.args.includes("--property=DynamicUser=yes"));
    t.ok(evaluation?.args.includes("allow-import-from-derivation"));
    t.match(warnings, [{ code: "system/evaluated-as-root" }]);
    const message = /as root.*\[system\/evaluated-as-root\]$/;
    t.match(plan.warnings, [{ kind: "evaluation", message }]);
  }
});

t.test("files that only root may read are evaluated by root", async (t) => {
  const machine = fakeMachine(t.testdir(), { daemon: true });
  const files = [...one.files, { path: "own.nix", content: "{ }\n", mode: 0o600 }];
  t.match(await build(machine, { ...one, files }), {
    closure: { evaluatedBy: "root" },
    warnings: [{ code: "system/evaluated-as-root" }],
  });
  const file = path.join(machine.root, "var/lib/firstlight/sources", one.digest, "own.nix");
  chmodSync(file, 0o644);
  t.match(await build(machine), { closure: { evaluatedBy: "apart" } }, "of what is there");
});

t.test("what an evaluation names is not believed", async (t) => {
  const machine = fakeMachine(t.testdir(), { daemon: true });
  const other = "/nix/store/11111111111111111111111111111111-other.drv";
  const lies: readonly (readonly [string, RegExp])[] = [
    ["", /expected one derivation/],
    ["/etc/shadow\n", /expected one derivation/],
    [`${machine.image}\n`, /expected one derivation/],
    [`${derivation}/../../../etc/passwd.drv\n`, /expected one derivation/],
    [`${derivation}\n${other}\n`, /expected one derivation/],
    [`${derivation}!out\n`, /expected one derivation/],
    [`${other}\n`, /does not hold/],
  ];
  for (const [stdout, message] of lies) {
    machine.faults.answers.set("nix-instantiate", (): Partial<ExecResult> => ({ stdout }));
    const { system } = machine.start();
    await t.rejects(
      systemClient(system).build(one, reason),
      { code: "system/evaluation-failed", message },
      JSON.stringify(stdout),
    );
    t.same(machine.start().io.files.list("/nix/var/nix/gcroots/firstlight"), [], "nothing rooted");
  }
});

t.test(
  "an evaluation that is called off, or takes too long, is stopped with its unit",
  async (t) => {
    for (const [end, code] of [
      [{ code: null, aborted: true }, "system/canceled"],
      [{ code: null, timedOut: true }, "system/timeout"],
    ] as const) {
      const machine = fakeMachine(t.testdir(), { daemon: true });
      machine.faults.answers.set("systemd-run", () => end);
      const { io, system } = machine.start();
      await t.rejects(systemClient(system).build(one, reason), { code });
      const stopped = io.executed.find(
        ({ file, args }) => file === "systemctl" && args[0] === "stop",
      );
      t.match(stopped?.args[1], /^firstlight-evaluate-.*\.service$/);
    }
  },
);

t.test("a unit that systemd cannot begin is no fault of the configuration", async (t) => {
  const cases: readonly (readonly [Partial<ExecResult>, RegExp])[] = [
    [{ code: 1, stderr: "Failed to start transient service unit: Access denied\n" }, /Access/],
    [{ code: 226 }, /exit code 226/],
    [{ code: 217 }, /exit code 217/],
  ];
  for (const [end, message] of cases) {
    const machine = fakeMachine(t.testdir(), { daemon: true });
    machine.faults.answers.set("systemd-run", () => end);
    const c = systemClient(machine.start().system);
    await t.rejects(c.build(one, reason), { code: "system/unit-failed", message });
  }
});
