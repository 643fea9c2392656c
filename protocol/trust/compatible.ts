import { Fault } from "#core/fault.ts";
import type { AssignedRelease } from "./assignment.ts";

/** What a machine is, as far as a release asks for it. */
export interface Machine {
  /** Version of firstlight. */
  readonly agent?: string;
  /** Nix system, for example `x86_64-linux`. */
  readonly platform?: string;
  /** Ids of the hardware profiles that it has, and of those that they stand on. */
  readonly hardware?: readonly string[];
}

/** Whether a release is for this machine. What the machine does not say is not asked for. Throws `trust/incompatible`. */
export function requireCompatible(
  release: Pick<AssignedRelease, "path" | "minimumAgent" | "hardware" | "platforms">,
  machine: Machine = {},
): void {
  const { minimumAgent, hardware, platforms } = release;
  const refuse = (why: string) =>
    new Fault("trust/incompatible", `${JSON.stringify(release.path).slice(1, -1)} is for ${why}`);
  if (minimumAgent !== undefined && machine.agent !== undefined) {
    if (compareVersions(machine.agent, minimumAgent) < 0) {
      throw refuse(`firstlight ${minimumAgent} and later, and this is ${machine.agent}`);
    }
  }
  if (platforms !== undefined && machine.platform !== undefined) {
    if (!platforms.includes(machine.platform)) {
      throw refuse(`${platforms.join(", ")}, and this machine is ${machine.platform}`);
    }
  }
  const own = machine.hardware;
  if (hardware !== undefined && own !== undefined && !hardware.some((id) => own.includes(id))) {
    throw refuse(`other hardware, and this machine is ${own.join(", ") || "not known"}`);
  }
}

/** Less than, equal to or more than 0, part by part; what is no number counts as 0. */
function compareVersions(a: string, b: string): number {
  const parts = (text: string) => text.split(/[.+-]/).slice(0, 3).map(Number);
  const [left, right] = [parts(a), parts(b)];
  for (let index = 0; index < 3; index++) {
    const difference = (left[index] || 0) - (right[index] || 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
