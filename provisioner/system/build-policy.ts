import { type BuildLimits, defaultBuildLimits } from "./build-limits.ts";

const mebi = 1024 ** 2;

/** What the owner of a machine lets a build take of it. */
export interface BuildPolicy {
  readonly limits: BuildLimits;
  readonly evaluationMemory: {
    /** With less free than this nothing is begun. */
    readonly leastBytes: number;
    /** With less than this swap is added where it is allowed, and else a warning given. */
    readonly wantedBytes: number;
  };
  /** What must stay free when everything is built. */
  readonly keepFree: {
    readonly storeBytes: number;
    readonly stateBytes: number;
    readonly bootBytes: number;
    /** Inodes, in the store and the state directory. */
    readonly files: number;
  };
  /**
   * Swap for the time of evaluating and building, where memory is short. `auto`: zram where the kernel
   * has it, and else a file.
   */
  readonly swap: "none" | "zram" | "file" | "auto";
}

/**
 * What holds unless the settings say otherwise. A small system of nixpkgs 20.09 was evaluated in 580
 * MB; newer trees with desktops need a gigabyte and more.
 */
export const defaultBuildPolicy: BuildPolicy = {
  limits: defaultBuildLimits,
  evaluationMemory: { leastBytes: 600 * mebi, wantedBytes: 1_500 * mebi },
  keepFree: {
    storeBytes: 256 * mebi,
    stateBytes: 32 * mebi,
    bootBytes: 8 * mebi,
    files: 2_000,
  },
  swap: "none",
};
