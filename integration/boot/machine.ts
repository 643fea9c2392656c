import type { Argv } from "../nix-machine.ts";
import type { Seed } from "../story.ts";
import type { Console } from "./console.ts";
import type { Answer } from "./host.ts";

/** A machine that can be switched on: a container, or a virtual one. */
export interface Machine {
  readonly console: Console;
  /** How many times slower than a container it may be. */
  readonly pace: number;
  /** Whether its first generation takes a restart: its hardware profile has parameters of the kernel. */
  readonly restartsFirst: boolean;
  /** What the datasource says from the next start on; only while the machine is off. */
  insert(seed: Seed): Promise<void>;
  switchOn(): Promise<void>;
  /** As a person does it: the machine ends by itself, and comes back. */
  reboot(): Promise<void>;
  switchOff(): Promise<void>;
  /** The power goes, with all that has not reached the disk. */
  cutPower(): Promise<void>;
  /** Runs a program on it, as root. */
  run(argv: Argv): Promise<Answer>;
}

/** Of a program that is run on a machine, whatever way it gets there. */
export const machinePath =
  "/run/current-system/sw/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
