import { existsSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import {
  armFirstBoot,
  endByItself,
  type FirstBootArmed,
  firstBootOf,
  runsOther,
} from "./arm-first-boot.ts";
import { type SystemClient, systemClient } from "./client.ts";
import type { FakeLoader } from "./fake-firmware.ts";
import { type FakeMachine, fakeMachine, fakeSources, systemOf } from "./fake-machine.ts";
import { machineDirectory } from "./machine-directory.ts";
import type { ChangeReason, Verdict } from "./system.ts";

/** Who asks for the changes of these machines, and what becomes of them. */
export const reason: ChangeReason = { by: "boot", why: "a test", instanceId: "i-1" };
export const healthy: Verdict = { healthy: true, reasons: ["all passed"], passes: 3, ms: 1 };

/** What was booted and was well, and what is committed after it. */
export const [proved, unproved] = [fakeSources("a"), fakeSources("b")];
export const [good, fresh] = [systemOf(proved), systemOf(unproved)];

interface Teardown {
  teardown(action: () => void): unknown;
}

/** A machine that knows nothing but the system of its image. */
export function freshMachine(t: Teardown, loader: FakeLoader): FakeMachine {
  const root = machineDirectory("first-boot");
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  return fakeMachine(root, { loader });
}

/** A machine that was booted with {@link proved}, and was well. */
export async function provedMachine(t: Teardown, loader: FakeLoader): Promise<FakeMachine> {
  const m = freshMachine(t, loader);
  await commit(start(m), proved);
  m.cutPower();
  const c = start(m);
  await c.recover({ judges: true });
  await c.prove(healthy);
  return m;
}

/** The same with {@link unproved} as its boot default, which was tried without a boot. */
export async function unprovedMachine(t: Teardown, loader: FakeLoader): Promise<FakeMachine> {
  const m = await provedMachine(t, loader);
  await commit(start(m), unproved);
  return m;
}

/** A new process of firstlight on the machine. */
export function start(m: FakeMachine, dieAt = Number.POSITIVE_INFINITY): SystemClient {
  return systemClient(m.start({ dieAt }).system);
}

/** Tries these sources by an activation, and commits them. */
export async function commit(c: SystemClient, sources: typeof proved): Promise<void> {
  await c.recover({ judges: true });
  await c.commit(await c.try(await c.plan(await c.build(sources, reason))), healthy);
}

/** What a system does early in each boot, as `firstlight first-boot` does it. */
export async function arm(
  m: FakeMachine,
  dieAt = Number.POSITIVE_INFINITY,
): Promise<FirstBootArmed | undefined> {
  const { io } = m.start({ dieAt });
  const found = firstBootOf(io);
  if (found === undefined || !runsOther(io, found)) return armFirstBoot(io);
  await endByItself(io, found);
  return undefined;
}

/** Names of what is written down of a first boot. */
export function marks({ root }: FakeMachine): readonly string[] {
  const directory = path.join(root, "nix/var/nix/gcroots/firstlight-first-boot");
  return existsSync(directory) ? readdirSync(directory).sort() : [];
}
