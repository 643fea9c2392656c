import type { HookRecord } from "#provisioner/render/hooks.ts";
import type { StoreObject } from "./closure-difference.ts";
import type { FailedUnit } from "./drift/failed-units.ts";
import type { EvaluatedBy } from "./evaluate-apart.ts";
import type { StoreCommands } from "./fetch/store-commands.ts";
import type { OnceName } from "./loaders/loader.ts";
import type { BuildNeed } from "./nix-dry-run.ts";
import type { SystemEvent } from "./system.ts";

/**
 * The lowest layer: what is asked of Nix, systemd and the systems themselves. Real in
 * `nix-commands.ts`, said only in `dry-commands.ts`; both take the lines from `command-lines.ts`.
 */
export interface Commands {
  /** Evaluates the sources; the path of the derivation, rooted. Throws `system/evaluation-failed`. */
  instantiate(evaluation: Evaluation): Promise<string>;
  /** Who evaluates these sources, once they are written: an unprivileged unit, or root. */
  whoEvaluates(sourcesDigest: string): EvaluatedBy;
  /** What building it would need, as far as Nix can say; `undefined` when it cannot. */
  dryRun(derivation: string): Promise<BuildNeed | undefined>;
  /** Ends an evaluation or a build that outlived the firstlight that began it. */
  stopBuild(txn: string): Promise<void>;
  /** Makes the empty file a swap area of this size, and swaps to it. Throws `system/swap-failed`, as the others. */
  swapOnFile(file: string, bytes: number): Promise<void>;
  /** Sets up a free device of zram with this size, and swaps to it. */
  swapOnZram(device: string, bytes: number): Promise<void>;
  loadZram(): Promise<void>;
  swapOff(place: string): Promise<void>;
  resetZram(device: string): Promise<void>;
  /** Whether the swap area on a device was made here; `null` when the device is empty. */
  isOurSwap(device: string): Promise<boolean | null>;
  /** Builds or fetches the derivation; the path of the system, rooted. Throws `system/build-failed`. */
  build(build: Building): Promise<string>;
  /** Roots a system that is in the store already: the one to try, or the one to go back to. */
  addRoot(root: SystemRoot): Promise<void>;
  /** Store and profiles on disk, as after a power cut. */
  syncStore(): Promise<void>;
  /** Writes what the boot loader reads to the disk; nothing where there is no place of it. */
  syncBoot(): Promise<void>;
  /** Makes the system a new generation of the profile, and its current one. */
  setProfile(toplevel: string): Promise<void>;
  /** Makes an existing generation the profile's current one. */
  switchGeneration(generation: number): Promise<void>;
  /** Deletes generations of the profile by their numbers; ones that are gone already are no error. */
  deleteGenerations(generations: readonly number[]): Promise<void>;
  /** Deletes what no root needs, up to so many bytes; `null`: all of it. */
  collectGarbage(maxBytes: number | null): Promise<void>;
  /** Runs a hook to its end, in a unit of its own where systemd is. */
  runHook(request: HookRequest): Promise<SwitchEnd>;
  /**
   * Runs `switch-to-configuration`; outlives this process where systemd is. How the activation of a trial ended
   * stays to be read by {@link Commands.endOfSwitch} until it is forgotten.
   */
  switchTo(request: SwitchRequest): Promise<SwitchEnd>;
  /** Forgets how the activation of a trial ended, once that is written down. */
  forgetSwitch(txn: string): Promise<void>;
  /** What a system says to a switch before it begins; changes nothing. */
  check(toplevel: string): Promise<SwitchEnd>;
  /** What `switch-to-configuration test` would do; changes nothing. */
  dryActivate(toplevel: string): Promise<SwitchEnd>;
  readonly store: StoreCommands;
  /** The store path of the system that the sources evaluate to; builds and roots nothing. Throws `system/evaluation-failed`. */
  evaluatesTo(evaluation: Pick<Evaluation, "sourcesDigest" | "nixpkgs">): Promise<string>;
  /** Units that have failed; none where there is no systemd. */
  failedUnits(): Promise<readonly FailedUnit[]>;
  /** Every object that each of the systems needs; `null` where there is no store to ask. */
  storeObjects(systems: readonly string[]): Promise<readonly (readonly StoreObject[])[] | null>;
  /** Sets the timer that activates `previous` if nobody comes; nothing where there is no systemd. */
  armWayBack(request: { readonly txn: string; readonly previous: string }): Promise<void>;
  /** Stops that timer and waits for what it may have started. */
  disarmWayBack(txn: string): Promise<void>;
  /** Sets the timer that restarts the machine if nobody comes, in place of the module's own. */
  armRestart(request: WayBackHold & { readonly afterMs: number }): Promise<void>;
  /** Whether the way back is armed. */
  holdWayBack(request: WayBackHold): Promise<boolean>;
  /** Sets the timer that starts the boot again, in place of an earlier one. */
  armRetry(afterMs: number): Promise<void>;
  /** Stops that timer. Throws `system/retry-failed`. */
  stopRetry(): Promise<void>;
  /** Stops the timer of every transaction; what one has started goes on. */
  disarmAll(): Promise<void>;
  /** Waits until no activation of the transaction is under way; stops one that does not end. */
  awaitSwitch(txn: string): Promise<void>;
  /**
   * Waits for the activation of a trial that another process began, and reads how it ended;
   * `undefined` where systemd knows nothing of it (any more): it ended well, or never began.
   */
  endOfSwitch(txn: string): Promise<SwitchEnd | undefined>;
  /** What can boot a system once here. Throws `system/reboot-impossible`. */
  chooseLoader(wish: OnceWish): Promise<OnceLoaderInfo>;
  /** Makes the system a generation of the trial's profile, and its current one. */
  setTrialProfile(toplevel: string): Promise<void>;
  /** Chooses the system for the next boot alone; the name of its entry. */
  bootOnce(choice: { readonly loader: OnceName; readonly toplevel: string }): Promise<string>;
  /** Forgets such a choice: where it is this entry, or whatever it is. */
  forgetOnce(choice: { readonly loader: OnceName; readonly entry: string | null }): Promise<void>;
  /** The same where it is this system that was chosen. */
  forgetChoice(toplevel: string): Promise<void>;
  /**
   * Why the boot loader of the machine cannot boot a system once; `null` where it can, or where nobody
   * knows which it has.
   */
  whyNotOnce(bootDefault: string): Promise<string | null>;
  /** Restarts the machine; comes back before it goes down. */
  restart(how: "reboot" | "kexec"): Promise<void>;
}

export interface WayBackHold {
  readonly txn: string;
  /** Whether the time of one that is armed already begins anew. */
  readonly renews: boolean;
}

export interface OnceWish {
  /** `loader`: by the machine's own and by nothing else. */
  readonly policy: "allow" | "kexec" | "loader";
  readonly bootDefault: string;
}

/** A loader that can boot a system once, as far as it matters before. */
export interface OnceLoaderInfo {
  readonly name: OnceName;
  readonly needsEntry: boolean;
  readonly restart: "reboot" | "kexec";
}

export interface Evaluation {
  readonly txn: string;
  readonly sourcesDigest: string;
  /** Store path of nixpkgs; `null` for the environment's. */
  readonly nixpkgs: string | null;
  /** Checks what is in the store already, and mends it: after a power cut in the middle of a build. */
  readonly repair: boolean;
}

export interface Building extends Pick<Evaluation, "txn" | "repair"> {
  readonly derivation: string;
}

export interface SystemRoot {
  readonly txn: string;
  readonly toplevel: string;
  readonly role: "system" | "previous";
}

export interface SwitchRequest {
  readonly txn: string;
  readonly toplevel: string;
  readonly action: "test" | "boot";
  /** What it is for; part of the unit's name. */
  readonly purpose: SwitchPurpose;
  /** Of a boot menu: what brings the secrets of initrds for as long as it is written. */
  readonly initrdSecrets?: readonly InitrdProgram[];
}

/** The program of a system that reveals the secrets of its initrd, and hides those of all. */
export interface InitrdProgram {
  readonly program: string;
  /** Whether no menu may be written without them. */
  readonly needed: boolean;
}

export interface HookRequest {
  readonly txn: string;
  /** The system that is changed to, or was tried. */
  readonly toplevel: string;
  readonly hook: HookRecord;
}

export type SwitchPurpose = "switch" | "back" | "boot";

/** How `switch-to-configuration` ended. */
export interface SwitchEnd {
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  /** Whether the code is systemd-run's own, which says 1 for troubles of its own as well. */
  readonly relayed: boolean;
  /** Its last lines, where they can be had. */
  readonly output: string;
}

/** What a request's commands talk to. */
export interface Talk {
  readonly emit: (event: SystemEvent) => void;
  /** Calls off building; never an activation. */
  readonly signal: AbortSignal;
}
