import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t, { type Test } from "tap";
import { type SystemClient, systemClient } from "./client.ts";
import { type FakeMachine, fakeMachine, fakeSources, systemOf } from "./fake-machine.ts";
import type { ChangeReason, Verdict } from "./system.ts";

const reason: ChangeReason = { by: "apply", why: "a test", instanceId: "i-1" };
const healthy: Verdict = { healthy: true, reasons: ["all passed"], passes: 3, ms: 10 };
const judging = { health: { checks: [] } };
const before = fakeSources("before");
const old = fakeSources("old with initrd-secrets");
const after = fakeSources("after with kernel-next and initrd-secrets");

/** A machine, and what stands around each menu that is written there. */
function machine(test: Test): { readonly m: FakeMachine; readonly menus: string[][] } {
  const root = mkdtempSync(path.join(tmpdir(), "firstlight-initrd-"));
  test.teardown(() => rmSync(root, { recursive: true, force: true }));
  const m = fakeMachine(root, { daemon: true, loader: "grub" });
  const menus: string[][] = [];
  m.faults.answers.set("switch boot", ({ args }) => {
    menus.push(aroundMenu(args));
    return undefined;
  });
  return { m, menus };
}

const aroundMenu = (args: readonly string[]) =>
  args.flatMap((arg) => /^--property=(Exec.*)$/.exec(arg)?.[1] ?? []);
const program = (sources: typeof after) => `${systemOf(sources)}/etc/firstlight/initrd-secrets`;
const start = (m: FakeMachine): SystemClient => systemClient(m.start().system);

async function change(c: SystemClient, sources: typeof after): Promise<void> {
  await c.commit(await c.try(await c.plan(await c.build(sources, reason))), healthy);
}

t.test("a menu of systems without secrets is written as ever", async (t) => {
  const { m, menus } = machine(t);
  await change(start(m), before);
  t.same(menus, [[]]);
});

t.test(
  "every system of a menu reveals its own, and they are hidden however that ends",
  async (t) => {
    const { m, menus } = machine(t);
    await change(start(m), before);
    await change(start(m), old);
    t.same(menus.at(-1), [
      `ExecStartPre=${program(old)} reveal`,
      `ExecStopPost=${program(old)} hide`,
    ]);
    await change(start(m), before);
    t.same(
      menus.at(-1),
      [`ExecStartPre=-${program(old)} reveal`, `ExecStopPost=${program(old)} hide`],
      "those of an older one may be lost",
    );
  },
);

t.test("a trial that is booted has its own in the menu of the system before", async (t) => {
  const { m, menus } = machine(t);
  await change(start(m), before);
  const c = start(m);
  const plan = await c.plan(await c.build(after, reason));
  await c.try(plan, { watchMs: 1_000, judging });
  const expected = [`ExecStartPre=${program(after)} reveal`, `ExecStopPost=${program(after)} hide`];
  t.same(menus.at(-1), expected);
  const planned = plan.commands.filter((command) => command.at(-1) === "boot").map(aroundMenu);
  t.same(planned, [expected, expected], "as the plan says");
  await start(m).restart();
  m.restartIfAsked();
  const next = start(m);
  const { trial } = await next.recover({ judges: true });
  if (trial === null) return t.fail("expected the trial");
  await next.commit(trial.trial, healthy);
  t.same(menus.at(-1), expected);
});
