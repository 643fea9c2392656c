import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type BuildPolicy, defaultBuildPolicy } from "./build-policy.ts";
import { type SystemClient, systemClient } from "./client.ts";
import { evaluatedAsRoot } from "./evaluate-apart.ts";
import { type FakeMachine, fakeMachine, fakeSources, type StartOptions } from "./fake-machine.ts";
import type { ChangeReason, Closure, SystemEvent } from "./system.ts";

export const reason: ChangeReason = { by: "apply", why: "a test", instanceId: "i-1" };
export const mebi = 1024 ** 2;

/** A process of firstlight on a fake machine, and what it told. */
export interface Started {
  readonly c: SystemClient;
  readonly events: readonly SystemEvent[];
  /** Commands that were run. */
  commands(): readonly string[];
  /** All but that root evaluates, as it does on a machine without a Nix daemon. */
  warnings(): readonly string[];
  /** Builds the system `a`. */
  build(): Promise<Closure>;
}

/** A fake machine, removed when the test ends. */
export function machine(
  t: { teardown(action: () => void): unknown },
  options: { systemd?: boolean } = {},
): FakeMachine {
  const root = mkdtempSync(path.join(tmpdir(), "firstlight-build-"));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  return fakeMachine(root, options);
}

export function start(
  m: FakeMachine,
  { signal, ...options }: StartOptions & { signal?: AbortSignal } = {},
): Started {
  const events: SystemEvent[] = [];
  const c = systemClient(m.start(options).system, {
    onEvent: (event) => events.push(event),
    ...(signal === undefined ? {} : { signal }),
  });
  return {
    c,
    events,
    commands: () =>
      events.flatMap((event) => (event.type === "command" ? [event.argv.join(" ")] : [])),
    warnings: () =>
      events.flatMap((event) =>
        event.type === "warning" && event.code !== evaluatedAsRoot.code ? [event.message] : [],
      ),
    build: () => c.build(fakeSources("a"), reason),
  };
}

/** Memory and swap that can be had, in MiB. */
export function setMemory(m: FakeMachine, available: number, swap = 0): void {
  const kib = available * 1024;
  m.write(
    "/proc/meminfo",
    `MemTotal: ${kib * 2} kB\nMemAvailable: ${kib} kB\nSwapFree: ${swap * 1024} kB\n`,
  );
}

export function policy(more: Partial<BuildPolicy>): BuildPolicy {
  return { ...defaultBuildPolicy, ...more };
}

/** What of builds is still on the machine: GC roots, and swap. */
export function leftOvers(m: FakeMachine): readonly string[] {
  const roots = path.join(m.root, "nix/var/nix/gcroots/firstlight");
  return [...(existsSync(roots) ? readdirSync(roots) : []), ...swapLeft(m)];
}

/** What of swap is still on the machine. */
export function swapLeft(m: FakeMachine): readonly string[] {
  const devices = ["zram0", "zram1"].filter((name) =>
    /^[1-9]/.test(m.read(`/sys/block/${name}/disksize`) ?? ""),
  );
  const files = ["/var/lib/firstlight/build.swap", "/run/firstlight/build-zram"];
  const swaps = (m.read("/proc/swaps") ?? "").split("\n").filter((line) => line !== "");
  return [...swaps, ...files.filter((file) => m.read(file) !== undefined), ...devices];
}
