/** What goes on while Nix evaluates and builds. A build is named by its derivation, a fetch by its path. */
export type BuildActivity =
  /** What will be built, known before it begins; a tree by {@link PlannedBuild.neededBy}. */
  | { readonly kind: "planned"; readonly builds: readonly PlannedBuild[] }
  | {
      readonly kind: "started";
      readonly what: "build" | "fetch";
      readonly path: string;
      /** The machine that builds, or the cache; `null` when it is this one, or not said. */
      readonly from: string | null;
    }
  /** It cannot begin yet: locked by another process, or no machine is free. */
  | { readonly kind: "waiting"; readonly path: string; readonly why: string }
  | { readonly kind: "phase"; readonly path: string; readonly phase: string }
  /** Bytes of one fetch, as they lie in the store. */
  | {
      readonly kind: "bytes";
      readonly path: string;
      readonly done: number;
      readonly expected: number;
    }
  | {
      readonly kind: "ended";
      readonly path: string;
      /** `stopped`: called off, or ended because another one failed. */
      readonly end: "done" | "failed" | "stopped";
      readonly how: string | null;
    }
  | { readonly kind: "totals"; readonly totals: BuildTotals };

/** A derivation that will be built, and one of those that wait for it; `null` of the system itself. */
export interface PlannedBuild {
  readonly derivation: string;
  readonly neededBy: string | null;
}

/** How far all of it is. */
export interface BuildTotals {
  readonly builds: WorkCount;
  readonly fetches: WorkCount;
  /** Compressed, as they come over the network. */
  readonly downloadBytes: { readonly done: number; readonly expected: number };
}

export interface WorkCount {
  readonly done: number;
  readonly expected: number;
  readonly running: number;
  readonly failed: number;
}

export const noWork: WorkCount = { done: 0, expected: 0, running: 0, failed: 0 };

/** Totals of work that has not begun. */
export const noTotals: BuildTotals = {
  builds: noWork,
  fetches: noWork,
  downloadBytes: { done: 0, expected: 0 },
};
