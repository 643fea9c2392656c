import type { Code } from "#core/codes.ts";
import type { FaultRecord } from "#core/fault.ts";
import type { UnfreePackage } from "#provisioner/render/manifest.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import type { BuildActivity } from "./build-activity.ts";
import type { Builders } from "./builders.ts";
import type { ClosureDifference } from "./closure-difference.ts";
import type { Collected } from "./collect.ts";
import type { DriftReport, RepairReport } from "./drift/report.ts";
import type { EvaluatedBy } from "./evaluate-apart.ts";
import type { FetchPreview } from "./fetch/preview-fetch.ts";
import type { FileChange } from "./plan-files.ts";
import type { OptionChange } from "./plan-options.ts";
import type { PlaceSpace } from "./plan-space.ts";
import type { PlanWarning } from "./plan-warnings.ts";
import type { RetentionLimits } from "./retention.ts";
import type { StateName } from "./transaction-state.ts";

/**
 * The system as messages: every request and result is JSON, progress is a stream of events, and
 * no callback or open handle crosses. In one process, or over the socket of the root side: see
 * `sides/`.
 */
export interface System {
  /** Sends a request; yields events while it is worked on, and last exactly one result. */
  send<R extends SystemRequest>(request: R, signal?: AbortSignal): AsyncIterable<SystemMessage<R>>;
}

export type SystemMessage<R extends SystemRequest> = SystemEvent | ResultMessage<R>;

export interface ResultMessage<R extends SystemRequest> {
  readonly type: "result";
  readonly result: SystemResults[R["kind"]];
}

/** What can be asked of the system. */
export type SystemRequest =
  /**
   * Finish or undo what the journal left open; first request of every start. With `judges` a trial
   * that goes on is handed back, to be judged by who asked; without, it is taken back.
   */
  | { readonly kind: "recover"; readonly judges?: boolean }
  /** Whether the running, booted-by-default system was made from these sources; starts no process. */
  | { readonly kind: "runs"; readonly sourcesDigest: string }
  /** Write the sources and build the system from them, with a GC root from the first moment. */
  | { readonly kind: "build"; readonly sources: Sources; readonly reason: ChangeReason }
  /** Fetch a system that was built elsewhere and signed; `sources` are what it must be made from. */
  | {
      readonly kind: "fetch";
      /** Text of a signed manifest. */
      readonly signed: string;
      readonly sources: Sources | null;
      readonly reason: ChangeReason;
      /** Addresses of caches that are asked before those of the settings. */
      readonly caches?: readonly string[];
    }
  /**
   * Say what sources would change without building or fetching them. Of a signed manifest it is said
   * what it would bring; without one no process is started.
   */
  | { readonly kind: "preview"; readonly sources: Sources; readonly signed: string | null }
  /**
   * Say what the closure would change; changes nothing. With `keep` the plan is written down, for a
   * later `try` to say what differs from it.
   */
  | { readonly kind: "plan"; readonly closure: Closure; readonly keep?: boolean }
  /** Activate without touching the boot default, the way back armed first. */
  | {
      readonly kind: "try";
      readonly plan: Plan;
      /** Digest of the plan that somebody approved: anything else is `system/plan-stale`. */
      readonly approved?: string;
      /** How long the trial may be watched at most; the way back comes later than that. */
      readonly watchMs: number;
      /** What its judge needs, JSON: kept, and given back to the process that judges it. */
      readonly judging?: { readonly [key: string]: unknown } | null;
    }
  /** Make the trial the boot default and publish its sources. */
  | { readonly kind: "commit"; readonly trial: Trial; readonly verdict: Verdict }
  /** Re-activate the system from before the trial, by its explicit path. */
  | { readonly kind: "roll-back"; readonly trial: Trial; readonly verdict: Verdict }
  /** Plan going back to a generation by its number, or to the previous good one. */
  | {
      readonly kind: "plan-generation";
      readonly generation: number | null;
      readonly reason: ChangeReason;
    }
  /**
   * Restart the machine, into a trial that waits for it or back from one. With `plain` also where none
   * does; a trial that is being judged is waited for.
   */
  | { readonly kind: "restart"; readonly plain?: boolean }
  /** After a trial was taken back: whether what it failed fails without it as well. */
  | {
      readonly kind: "conclude";
      readonly transaction: string;
      readonly conclusive: boolean;
      readonly reasons: readonly string[];
    }
  /** How the committed system was when it had been booted. */
  | { readonly kind: "prove"; readonly verdict: Verdict }
  /**
   * Start the boot again by itself when a release that was not committed may be tried; with `null`
   * nothing is left to be tried, and a timer that is set is stopped.
   */
  | { readonly kind: "retry"; readonly wanted: Wanted | null }
  /** Keep a generation whatever the limits say, or let it go. */
  | { readonly kind: "pin"; readonly generation: number; readonly pinned: boolean }
  /** Delete generations that need not stay, and what only they needed. */
  | { readonly kind: "collect"; readonly limits: RetentionLimits; readonly dryRun: boolean }
  /** Compare the machine with what was committed; changes nothing. */
  | {
      readonly kind: "drift";
      /** Evaluate the sources, and read the whole store. */
      readonly deep: boolean;
      /** Otherwise one part of so many of the store's bytes is read, the next one with each check. */
      readonly share: number;
    }
  /** Look for drift and mend what can be mended without a trial. */
  | { readonly kind: "repair"; readonly deep: boolean; readonly share: number }
  | { readonly kind: "history" }
  /** What is under way, and what runs; starts no process. */
  | { readonly kind: "status" };

export interface SystemResults {
  readonly recover: Recovery;
  readonly runs: Running;
  readonly build: Closure;
  readonly fetch: Closure;
  readonly preview: SourcesPreview;
  readonly plan: Plan;
  readonly try: Trial;
  readonly commit: Committed;
  readonly "roll-back": RolledBack;
  readonly "plan-generation": GenerationPlan;
  readonly restart: Restarting;
  readonly conclude: null;
  readonly prove: BootProof | null;
  readonly retry: Retry;
  readonly history: History;
  readonly drift: DriftReport;
  readonly repair: RepairReport;
  readonly pin: { readonly changed: boolean };
  readonly collect: Collected;
  readonly status: SystemStatus;
}

/** Progress, for people and for `analyze`; never needed to understand a result. */
export type SystemEvent =
  | { readonly type: "command"; readonly argv: readonly string[]; readonly run: boolean }
  | {
      readonly type: "step";
      readonly step: string;
      readonly state: "started" | "finished" | "failed";
      readonly ms: number | null;
    }
  /** One attempt to bring one path from one cache, at its end. */
  | {
      readonly type: "fetch";
      readonly path: string;
      readonly cache: string;
      /** That came from the cache meanwhile, for other paths too. */
      readonly bytes: number;
      /** Why it failed, or `null`. */
      readonly fault: { readonly code: Code; readonly message: string } | null;
    }
  /** Unpacked bytes in the store, of those that were missing. */
  | { readonly type: "fetch-progress"; readonly doneBytes: number; readonly totalBytes: number }
  /** A line of Nix, or of the builder of a derivation. */
  | { readonly type: "build-log"; readonly line: string; readonly derivation: string | null }
  /** Something that may go wrong, or takes longer, and that a person should know of. */
  | { readonly type: "warning"; readonly code: Code; readonly message: string }
  /** Where the builders run, and so whether the limits of a build reach them. */
  | { readonly type: "builders"; readonly builders: Builders }
  | { readonly type: "build"; readonly activity: BuildActivity };

/** Who asked for a change, and why: kept in the journal and shown by `history`. */
export interface ChangeReason {
  /** `repair`: by itself, to a generation that is whole, because what ran is damaged. */
  readonly by: "boot" | "apply" | "rollback" | "update" | "repair";
  /** For a person: `first boot of i-0abc`, `user-data changed`. */
  readonly why: string;
  readonly instanceId: string | null;
  /** Hardware profile that it was rendered for, where one was. */
  readonly hardwareProfile?: string | null;
  /** What a build here lacks, with the numbers, where the system was fetched for that. */
  readonly notBuilt?: string;
}

/** A built system. */
export interface Closure {
  /** Names the whole change from here on: directory, journal, GC root, transient unit. */
  readonly transaction: string;
  readonly toplevel: string;
  readonly derivation: string | null;
  /** `null` of a generation that firstlight did not make. */
  readonly sourcesDigest: string | null;
  readonly credentials: readonly string[];
  readonly reason: ChangeReason;
  /** Who evaluated it; absent where it was not evaluated here, or by an older version. */
  readonly evaluatedBy?: EvaluatedBy;
}

/** What would change; its digest is what can be approved. */
export interface Plan {
  readonly digest: string;
  readonly closure: Closure;
  /** What runs now; `null` on a machine that has no generation yet. */
  readonly from: {
    readonly toplevel: string | null;
    readonly generation: number | null;
    readonly sourcesDigest: string | null;
  };
  /** Files of the sources, compared with the running ones. */
  readonly files: readonly FileChange[];
  /** Options of the sources, compared with the running ones; `null` where one side is not known. */
  readonly options: readonly OptionChange[] | null;
  /** Every package of the new system that is not free, with who agreed to it; `null` where that is not known. */
  readonly unfree: readonly UnfreePackage[] | null;
  /** Packages and bytes of the closures; `null` where no store could be asked. */
  readonly difference: ClosureDifference | null;
  /** Units by what would happen to them, as `dry-activate` says. */
  readonly units: Readonly<Record<"start" | "stop" | "restart" | "reload", readonly string[]>>;
  readonly reboot: {
    readonly needed: boolean;
    readonly why: readonly string[];
    /** That NixOS itself refuses to switch to it, so that it cannot be tried without a restart. */
    readonly switchRefused?: true;
  };
  /** Room where the change writes; as it is now, so no part of the digest. */
  readonly space: readonly PlaceSpace[];
  readonly warnings: readonly PlanWarning[];
  /** The exact commands that `try` and `commit` would run. */
  readonly commands: readonly (readonly string[])[];
}

/** The plan of going back. */
export interface GenerationPlan {
  readonly plan: Plan;
  /** What `try` was told when the generation was committed; `null` where that is not known. */
  readonly judging: unknown;
}

/** What sources would change, as far as that is known without building them. */
export interface SourcesPreview extends Pick<Plan, "from" | "files" | "options" | "unfree"> {
  readonly sourcesDigest: string;
  /** What would be fetched; `null` where the system would be built here. */
  readonly fetch: FetchPreview | null;
  /** Why a build here would be refused, with the numbers, as far as that is known before it begins. */
  readonly notBuilt: string | null;
  /** Room where it would be written, as it is now. */
  readonly space: readonly PlaceSpace[];
}

/** A system that runs but is not the boot default. */
export interface Trial {
  readonly transaction: string;
  readonly toplevel: string;
  readonly previous: string | null;
  readonly sourcesDigest: string | null;
  readonly bootId: string;
  readonly planDigest: string;
  /**
   * How the activation ended: `switched`, `degraded` (it runs, but a unit or a step failed: exit
   * code 4), or `refused`: it does not run (1, 100, lock held), or did not end within its deadline. Its
   * own checks before a switch may refuse it before anything is done.
   * With `waits-for-restart` the next boot is its own, once: {@link SystemRequest} `restart`.
   */
  readonly activation: "switched" | "degraded" | "refused" | "waits-for-restart";
  readonly exitCode: number | null;
  readonly message: string | null;
}

/** The judge's word on a trial. */
export interface Verdict {
  readonly healthy: boolean;
  /** Names of the checks that failed last, where any did; nothing that may be secret. */
  readonly failed?: readonly string[];
  /** `false` where nobody could judge, so that nothing is said about the release. */
  readonly conclusive?: boolean;
  /** Each line one check that decided it. */
  readonly reasons: readonly string[];
  readonly passes: number;
  readonly ms: number;
  /** What was judged; a verdict on anything else commits nothing. Absent where nobody judged. */
  readonly subject?: Pick<Trial, "transaction" | "toplevel" | "bootId">;
}

export interface Committed {
  readonly generation: number;
  readonly toplevel: string;
  readonly sourcesDigest: string | null;
  /**
   * What could not be done in several tries, or was left to whoever chose another boot default meanwhile: a
   * sentence; else `null`.
   */
  readonly incomplete: string | null;
}

export interface RolledBack {
  /** The system that runs again; `null` when there was none before (a failed first boot). */
  readonly toplevel: string | null;
  readonly generation: number | null;
  readonly sourcesDigest: string | null;
  readonly reasons: readonly string[];
  /** Whether the machine is to be restarted first ({@link SystemRequest} `restart`); then that system runs. */
  readonly restart: boolean;
}

/** How the machine is being restarted. */
export interface Restarting {
  readonly how: "reboot" | "kexec";
}

/** A release that is asked for. */
export interface Wanted {
  /** Digest of its sources; `null` where nobody knows what is asked for now. */
  readonly sourcesDigest: string | null;
  /** Hardware profile that it was rendered for; absent where that is not known. */
  readonly hardwareProfile?: string | null;
}

/** When the boot is started again. */
export interface Retry {
  /**
   * `null` where nothing but a boot of the machine does (no systemd, or not the module's units), and
   * where nothing is to be tried: a person has chosen what runs since.
   */
  readonly at: string | null;
}

/** What `recover` found and did. */
export interface Recovery {
  readonly state:
    | "clean"
    | "continued"
    | "rolled-back"
    | "abandoned"
    /** The journal was damaged: a new one was begun, and what runs was left alone but for a first boot. */
    | "set-aside"
    /** A trial goes on, and is to be judged or restarted into. */
    | "trial"
    /** The way back takes a restart of the machine. */
    | "restart";
  /** The transaction that was open, and what of it was still undone. */
  readonly transaction: string | null;
  readonly details: readonly string[];
  readonly fault: FaultRecord | null;
  /** With `trial`: the trial that goes on. */
  readonly trial: OpenTrial | null;
  /**
   * With `rolled-back`: a trial that had been judged, and of which nobody has concluded anything yet, or a
   * first boot that was left; this one with `set-aside` as well.
   */
  readonly back: TakenBack | null;
  /** The committed system, where it was booted and nobody has said yet how it was. */
  readonly unproved: UnprovedBoot | null;
}

/** A trial that a process before this one began. */
export interface OpenTrial {
  readonly trial: Trial;
  /** As it was given to `try`. */
  readonly judging: unknown;
  readonly reason: ChangeReason;
}

/**
 * A trial that was judged by a process before this one, and is back now; or a system that was committed,
 * and whose first boot did not come as far as to be judged.
 */
export interface TakenBack {
  /** Of the way back, where no journal knows the system that was left. */
  readonly transaction: string;
  readonly toplevel: string;
  /** Of the system that was tried; `null` where nobody knows. */
  readonly sourcesDigest: string | null;
  readonly judging: unknown;
  readonly reason: ChangeReason;
  readonly verdict: Verdict;
  readonly rolledBack: RolledBack;
}

/** Whether the system that was committed last has been booted, and was well then. */
export interface BootProof {
  readonly transaction: string;
  readonly toplevel: string;
  readonly generation: number;
  readonly proved: boolean;
  /** So often it was booted and was not well. */
  readonly failures: number;
  /** The last generation of which that is known: not to be removed before this one is proved. */
  readonly previousGood: { readonly toplevel: string | null; readonly generation: number | null };
}

/** What is to be proved in this boot. */
export interface UnprovedBoot extends BootProof {
  /** What `try` was told of the trial that was committed; `null` where that is not known. */
  readonly judging: unknown;
}

/** What runs now, and whether it is what it should be. */
export interface Running {
  /** Whether it was made from the sources that were asked about, and is the boot default. */
  readonly runs: boolean;
  /** Digest of the plan that made it so; `null` where it is not so. */
  readonly planDigest: string | null;
  /** The boot default's. */
  readonly generation: number | null;
  readonly toplevel: string | null;
  /** `null` of a system that firstlight did not make. */
  readonly sourcesDigest: string | null;
  /** Whether the boot default was booted and was well then; `null` where firstlight did not commit it. */
  readonly bootProved: boolean | null;
  /** Whether the machine is to be restarted now: into a trial, or back from one. */
  readonly restart: boolean;
  /** How a person chose it, past what was committed last; `null` where nobody did. For a person. */
  readonly chosen: string | null;
  /** What the commit of the boot default could not do, and is still undone: a sentence, else `null`. */
  readonly incomplete: string | null;
  /** Whether a person chose it after what was asked about had been tried: that is no newer wish. */
  readonly overruled: boolean;
  /** Whether a timer is set that starts the boot again. */
  readonly retries: boolean;
  /** Transaction of the trial that ended last; `null` where none has. */
  readonly lastTrial: string | null;
}

/** What is under way, by the journal, and what the machine itself says. */
export interface SystemStatus {
  /** State of the transaction that is open; `none` between changes. */
  readonly state: StateName;
  readonly transaction: string | null;
  /** Why, where a change is open. */
  readonly reason: ChangeReason | null;
  readonly bootId: string;
  readonly running: string | null;
  readonly booted: string | null;
  readonly bootDefault: { readonly toplevel: string | null; readonly generation: number | null };
  /** How the trial that ended last did; `null` where none has. */
  readonly last: LastTrial | null;
  /**
   * How a person chose what runs, where that was after the last trial, so that what was tried is left
   * alone; `null` where nobody did, and while something is under way. For a person.
   */
  readonly leftAlone: string | null;
  /**
   * Whether the kernel holds a build to the limit of its memory; `none`: there is no systemd to ask for
   * one.
   */
  readonly limits: "kept" | "not-kept" | "none";
}

/** The journal's word on the trial that ended last. */
export interface LastTrial extends TrialRecord {
  readonly at: string;
  readonly sourcesDigest: string | null;
}

export interface History {
  readonly generations: readonly GenerationRecord[];
  /** Trials that have ended, oldest first. */
  readonly trials: readonly TrialRecord[];
  /** Of the system that was committed last; `null` where none was. */
  readonly boot: BootProof | null;
  /** Releases that are not tried again for now. */
  readonly denied: readonly HeldRelease[];
}

/** A release that was not healthy on this machine. */
export interface DeniedRelease {
  /** Digest of its sources; of a generation that firstlight did not make, its store path. */
  readonly release: string;
  readonly hardwareProfile: string | null;
  readonly transaction: string;
  readonly at: string;
  readonly reasons: readonly string[];
}

/** One that is held back now. */
export interface HeldRelease extends DeniedRelease {
  /** When it may be tried again. */
  readonly until: string;
}

/** How a trial ended: what the fleet is told of it. */
export interface TrialRecord {
  readonly transaction: string;
  readonly by: ChangeReason["by"];
  readonly result: "committed" | "rolled-back";
  readonly toplevel: string;
  /** That runs after it; `null` where none does. */
  readonly generation: number | null;
  /** `null` of a trial that nobody judged. */
  readonly verdict: Verdict | null;
  readonly reasons: readonly string[];
  /** As {@link ChangeReason} has it. */
  readonly notBuilt?: string;
}

export interface GenerationRecord {
  /** `null` of a trial that was rolled back before it became one. */
  readonly generation: number | null;
  readonly toplevel: string;
  readonly sourcesDigest: string | null;
  readonly at: string | null;
  readonly running: boolean;
  readonly bootDefault: boolean;
  /** Where `rollback` without a number goes. */
  readonly previousGood: boolean;
  readonly pinned: boolean;
  /** As boot entries name it; `null` of what firstlight did not make. */
  readonly release: string | null;
  readonly outcome: "committed" | "rolled-back" | "foreign";
  readonly reason: ChangeReason | null;
  readonly verdict: Verdict | null;
  /**
   * Whether its end says anything about the release: not where nobody judged it, nor where the system
   * before it failed the same checks. `null` of what firstlight did not make.
   */
  readonly conclusive: boolean | null;
  /** Why it ended as it did, as sentences. */
  readonly reasons: readonly string[];
}
