import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import type { Code } from "#core/codes.ts";
import type { Mended } from "./drift/report.ts";
import type { Ledger } from "./ledger.ts";
import type { OnceName } from "./loaders/loader.ts";
import type { ChangeReason, Closure, Plan, Trial, Verdict } from "./system.ts";

/** Version of the records written here; a reader refuses newer ones, and takes those of the one before. */
export const journalVersion = 2;

/** What a trial needs to be committed or taken back by another process after a power cut. */
export interface Attempt {
  readonly closure: Closure;
  readonly planDigest: string;
  /** What ran before it. */
  readonly previous: Plan["from"];
  /** The boot default before it. */
  readonly profile: SystemLink;
  /** What the machine was booted with, where that is known and not the boot default; for an earlier version. */
  readonly booted?: SystemLink;
  /**
   * What its first boot goes back to; both `null` where nothing is left. Absent in records of an earlier
   * version, and where a first boot was left.
   */
  readonly back?: SystemLink;
  /** How it is booted, where it is tried by a restart of the machine. */
  readonly once: { readonly loader: OnceName; readonly why: readonly string[] } | null;
  /** So long after its beginning the way back comes by itself. */
  readonly wayBackMs: number;
  /** What its judge needs, for the process that judges it. */
  readonly judging: unknown;
  /** The system whose first boot was left for this one; only then. */
  readonly left?: string;
}

/** Where a profile or generation points. */
export interface SystemLink {
  readonly toplevel: string | null;
  readonly generation: number | null;
}

/** How a step failed. */
export interface StepFailure {
  readonly code: Code;
  readonly message: string;
}

/** What each step writes down before it acts and after; a step that failed has a {@link StepFailure}. */
export interface Steps {
  /** Sources written, evaluated and built, or a signed system fetched; rooted against garbage collection. */
  readonly build: {
    readonly intent: {
      /** `null` of a fetched system whose sources are not known. */
      readonly sourcesDigest: string | null;
      /** Of a fetched system: which manifest was signed. */
      readonly manifestDigest?: string;
      readonly reason: ChangeReason;
    };
    readonly result: Closure;
  };
  /** The trial as a whole, up to the end of the activation. */
  readonly try: { readonly intent: Attempt; readonly result: Trial };
  readonly arm: {
    readonly intent: {
      readonly afterMs: number;
      /** By the clock of this boot that nobody sets; absent in records of an earlier version. */
      readonly upMs?: number;
    };
    readonly result: null;
  };
  readonly activate: {
    readonly intent: { readonly toplevel: string };
    readonly result: Activation;
  };
  readonly disarm: { readonly intent: null; readonly result: null };
  /** A trial by a restart, up to where nothing but the restart is left. */
  readonly prepare: { readonly intent: Attempt; readonly result: Trial };
  readonly "trial-profile": {
    readonly intent: { readonly toplevel: string };
    readonly result: null;
  };
  /** The boot default's own installer writes the entry; the default stays what it is. */
  readonly "trial-entry": { readonly intent: { readonly toplevel: string }; readonly result: null };
  readonly "boot-once": {
    readonly intent: { readonly loader: OnceName; readonly toplevel: string };
    readonly result: { readonly entry: string };
  };
  readonly restart: {
    readonly intent: { readonly how: "reboot" | "kexec" };
    readonly result: null;
  };
  /** The system on trial was booted: the trial goes on in this boot. */
  readonly resume: { readonly intent: { readonly toplevel: string }; readonly result: Trial };
  /** The choice for the next boot, profile and entry of a trial by a restart. */
  readonly "drop-trial": {
    readonly intent: { readonly loader: OnceName };
    /** What could not be removed. */
    readonly result: { readonly left: readonly string[] };
  };
  /** From its intent on the system stays. */
  readonly commit: {
    readonly intent: { readonly verdict: Verdict };
    readonly result: {
      readonly generation: number;
      /** What could not be done in several tries, or was left to whoever chose another boot default; or `null`. */
      readonly incomplete: string | null;
    };
  };
  readonly "set-profile": { readonly intent: { readonly toplevel: string }; readonly result: null };
  readonly "boot-entry": { readonly intent: { readonly toplevel: string }; readonly result: null };
  readonly publish: {
    readonly intent: { readonly sourcesDigest: string | null };
    /** Where what was there before was kept. */
    readonly result: { readonly kept: readonly string[] };
  };
  readonly "roll-back": {
    readonly intent: {
      readonly verdict: Verdict | null;
      readonly reasons: readonly string[];
      /** Whether the release is to blame, so that it is not tried again for some time. */
      readonly blamed: boolean;
    };
    readonly result: { readonly toplevel: string | null; readonly reasons: readonly string[] };
  };
  readonly "re-activate": {
    readonly intent: { readonly toplevel: string };
    readonly result: Activation;
  };
  readonly "reset-profile": {
    readonly intent: { readonly generation: number; readonly from: number | null };
    readonly result: null;
  };
  /** Damage of the store and of links mended; part of no change. */
  readonly repair: {
    readonly intent: { readonly subjects: readonly string[] };
    readonly result: {
      readonly repaired: readonly Mended[];
      readonly unrepaired: readonly string[];
    };
  };
  /** A build that was never tried. */
  readonly abandon: { readonly intent: { readonly why: string }; readonly result: null };
  /** Of a trial that was taken back: whether its checks said anything about the release. */
  readonly conclude: {
    readonly intent: { readonly conclusive: boolean; readonly reasons: readonly string[] };
    readonly result: null;
  };
  /** Of a committed system: how it was when it had been booted. */
  readonly prove: {
    readonly intent: { readonly toplevel: string };
    readonly result: { readonly healthy: boolean; readonly reasons: readonly string[] };
  };
  /** One step of an installation, by its id in the plan; in the journal of that installation alone. */
  readonly install: {
    readonly intent: { readonly plan: string; readonly id: string };
    readonly result: null;
  };
}

/** How an activation ended. */
export interface Activation {
  readonly end: "switched" | "degraded" | "refused";
  readonly exitCode: number | null;
  readonly message: string | null;
  /** Whether anything of the machine may have been changed. */
  readonly touched: boolean;
}

export type Step = keyof Steps;

/** One line of the journal. */
export type JournalRecord = StepRecord | CheckpointRecord;

/** That a step begins, or how it ended. */
export type StepRecord = { [S in Step]: IntentRecord<S> | ResultRecord<S> }[Step];

export interface IntentRecord<S extends Step> extends RecordHead {
  readonly kind: "intent";
  readonly step: S;
  readonly data: Steps[S]["intent"];
}

export interface ResultRecord<S extends Step> extends RecordHead {
  readonly kind: "result";
  readonly step: S;
  readonly data: StepResult<S>;
}

/** A step's result, or why there is none. */
export type StepResult<S extends Step> =
  | { readonly ok: true; readonly value: Steps[S]["result"] }
  | { readonly ok: false; readonly failure: StepFailure };

/** First line of a journal that goes on where another one ended: it stands for all of that one. */
export interface CheckpointRecord extends LineHead {
  readonly kind: "checkpoint";
  readonly data: Checkpoint;
}

export interface Checkpoint {
  /** What the records that are dropped come to. */
  readonly ledger: Ledger;
  readonly replaces: Replaced;
}

/** The journal that a checkpoint stands for. */
export interface Replaced {
  /** Where it was kept; one that was whole is overwritten by the next of its kind. */
  readonly keptAs: string;
  /** SHA-256 of its bytes; `null` where it was too large to be read. */
  readonly digest: string | null;
  /** Why it was not believed to its end, or `null` when it was. */
  readonly damage: string | null;
}

interface RecordHead extends LineHead {
  readonly txn: string;
}

interface LineHead {
  readonly v: typeof journalVersion;
  /** From 1, without gaps; over checkpoints as well. */
  readonly seq: number;
  /** SHA-256 of the line before, without its newline; {@link firstPrev} of the first. */
  readonly prev: string;
  readonly bootId: string;
  readonly at: string;
  /** SHA-256 of the canonical JSON of the other fields, so that the last line proves itself too. */
  readonly sum: string;
}

/** `prev` of the first record. */
export const firstPrev = "0".repeat(64);

const steps: Readonly<Record<Step, true>> = {
  build: true,
  try: true,
  arm: true,
  activate: true,
  disarm: true,
  prepare: true,
  "trial-profile": true,
  "trial-entry": true,
  "boot-once": true,
  restart: true,
  resume: true,
  commit: true,
  "set-profile": true,
  "boot-entry": true,
  publish: true,
  "drop-trial": true,
  "roll-back": true,
  "re-activate": true,
  "reset-profile": true,
  repair: true,
  abandon: true,
  conclude: true,
  prove: true,
  install: true,
};

/** Every step, in the order of the way. */
export const stepNames = Object.keys(steps) as readonly Step[];

/** The line of a record, `sum` added, without a newline. */
export function formatRecord(fields: object): string {
  return canonicalJson({ ...fields, sum: sha256(canonicalJson(fields)) });
}

/** What a line of a journal is. */
export type ParsedLine =
  | { readonly is: "record"; readonly record: JournalRecord }
  | { readonly is: "newer"; readonly version: string }
  | { readonly is: "damaged" };

/**
 * Reads one line. Its own sum vouches for its fields, so that what a damaged line seems to say is
 * never believed, not even its version.
 */
export function parseRecord(line: string): ParsedLine {
  const fields = provenFields(line);
  if (fields === undefined) return { is: "damaged" };
  const { sum: _sum, ...rest } = fields;
  if (!hasHead(rest)) return { is: "damaged" };
  if (!known.includes(rest.v)) return { is: "newer", version: String(rest.v) };
  if (rest.kind !== "checkpoint" && !Object.hasOwn(steps, rest.step)) {
    return { is: "newer", version: `step ${rest.step}` };
  }
  return { is: "record", record: upgrade(fields, rest.v) as unknown as JournalRecord };
}

const known: readonly unknown[] = [1, journalVersion];

/**
 * A record as today's version has it. Version 1 knew no trial by a restart, kept nothing for the
 * judge, and blamed nobody.
 */
function upgrade(fields: Readonly<Record<string, unknown>>, version: unknown): object {
  if (version === journalVersion) return fields;
  const { step, kind, data } = fields as { step: Step; kind: string; data: object };
  const added =
    kind !== "intent"
      ? {}
      : step === "try"
        ? { once: null, wayBackMs: 1_800_000, judging: null }
        : step === "roll-back"
          ? { blamed: false }
          : {};
  return { ...fields, v: journalVersion, data: data === null ? null : { ...data, ...added } };
}

/** The fields of a line that {@link formatRecord} made and its sum vouches for; else `undefined`. */
export function provenFields(line: string): Readonly<Record<string, unknown>> | undefined {
  const fields = parseFields(line);
  if (fields === undefined) return undefined;
  const { sum, ...rest } = fields;
  return sum === sha256(canonicalJson(rest)) ? fields : undefined;
}

function parseFields(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function hasHead(fields: Readonly<Record<string, unknown>>): fields is {
  readonly v: unknown;
  readonly seq: number;
  readonly prev: string;
  readonly kind: string;
  readonly step: string;
} {
  const strings = ["prev", "bootId", "at", "kind"];
  const ofStep = fields["kind"] === "checkpoint" ? [] : ["txn", "step"];
  return (
    Number.isSafeInteger(fields["seq"]) &&
    [...strings, ...ofStep].every((key) => typeof fields[key] === "string") &&
    ["intent", "result", "checkpoint"].includes(fields["kind"] as string)
  );
}
