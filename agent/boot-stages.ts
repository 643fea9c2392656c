import { withAdvice } from "#core/advice.ts";
import { isFault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import { type Io, timestamp } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import { startWatch } from "#core/stopwatch.ts";
import type { NewEvent } from "#protocol/events.ts";
import type { Confidence } from "#provisioner/profiles/profile.ts";
import type { Running, Wanted } from "#provisioner/system/system.ts";
import { bootFinished, findingEvent } from "./boot-events.ts";
import { rememberBoot } from "./boot-records.ts";
import { writeCloudInitResult } from "./cloud-init-files.ts";
import { noSearch, type Search } from "./datasources/search.ts";
import type { Outcome, OutcomeKind, StageTime } from "./outcome.ts";
import { readResult, type StatusWriter, statusWriter, writeResult, writeStatus } from "./status.ts";

/** Who asks for a system: a boot, a person, or the fleet. */
export type Asker = "boot" | "apply" | "update";

/** What telling of a boot needs. */
export interface StagesDeps {
  readonly io: Io;
  readonly log: Log;
  readonly by: Asker;
  /** Hands an event to the durable outbox. */
  readonly report: (event: NewEvent) => void;
}

/** How the way ended, without what the stages have seen. */
export interface End {
  readonly outcome: OutcomeKind;
  readonly message: string;
  readonly generation?: number | null;
  readonly toplevel?: string | null;
  /** Of the sources of the system that runs. */
  readonly sourcesDigest?: string | null;
  readonly verdict?: Outcome["verdict"];
  readonly degraded?: boolean;
  readonly fault?: Outcome["fault"];
  readonly restart?: boolean;
  readonly bootProved?: boolean | null;
  readonly lastTrial?: string | null;
  readonly triedAgainAt?: string | null;
  /** Whether a timer is set that starts the boot again. */
  readonly retries?: boolean;
}

/** Runs stages and remembers what was seen on the way. */
export interface Stages {
  stage<T>(name: string, work: () => T | Promise<T>): Promise<T>;
  saw(what: Partial<Seen>): void;
}

/** What the stages have found so far. */
interface Seen {
  readonly instanceId: string | null;
  readonly datasource: string | null;
  readonly profile: string | null;
  readonly confidence: Confidence | null;
  readonly findings: readonly Finding[];
  readonly search: Search | undefined;
  /** The release that is wanted; `null` where none is, or none has been seen. */
  readonly wanted: Wanted | null;
}

/** The end of a boot with nothing to do; `failures` are of commands of the system that runs. */
export function alreadyRuns(
  running: Running,
  sourcesDigest: string | null,
  failures: readonly string[],
): End {
  const undone = running.incomplete === null ? [] : [running.incomplete];
  return {
    outcome: "unchanged",
    message: ["the system already is what it should be", ...undone, ...failures].join("; "),
    ...running,
    sourcesDigest,
    degraded: undone.length + failures.length > 0,
  };
}

/** Ends of a change that are the node's. */
const comesToATrial: readonly OutcomeKind[] = [
  "committed",
  "unchanged",
  "rolled-back",
  "rebooting",
];

function isDone({ outcome }: Pick<End, "outcome">): boolean {
  return outcome === "committed" || outcome === "unchanged";
}

function losesSomething({ level }: Finding): boolean {
  return level !== "note";
}

/** The stages of one boot with their times, told to the status file and the outbox as they go. */
export class BootStages implements Stages {
  readonly #d: StagesDeps;
  readonly #stages: StageTime[] = [];
  readonly #startedAt: string;
  readonly #writer: StatusWriter;
  #seen: Seen = {
    instanceId: null,
    datasource: null,
    profile: null,
    confidence: null,
    findings: [],
    search: undefined,
    wanted: null,
  };

  constructor(d: StagesDeps) {
    this.#d = d;
    this.#startedAt = timestamp(d.io.clock);
    this.#writer = statusWriter(d.io);
  }

  async stage<T>(stage: string, work: () => T | Promise<T>): Promise<T> {
    const { io, log } = this.#d;
    this.tell(() => writeStatus(io, this.#writer, { state: "running", stage }));
    const elapsed = startWatch(io.clock);
    try {
      const result = await work();
      log.info(`${stage}.finished`, { ms: elapsed() });
      this.#stages.push({ stage, ms: elapsed() });
      return result;
    } catch (error) {
      log.error(`${stage}.failed`, { ms: elapsed() });
      this.#stages.push({ stage, ms: elapsed() });
      throw error;
    }
  }

  saw(what: Partial<Seen>): void {
    this.#seen = { ...this.#seen, ...what };
  }

  /** The release that is wanted, as far as that has been seen. */
  get wanted(): Wanted | null {
    return this.#seen.wanted;
  }

  /**
   * Writes what only tells of the boot. A disk that takes no more is logged and changes nothing of
   * what happened; whether it was written.
   */
  tell(write: (io: Io) => void): boolean {
    try {
      write(this.#d.io);
      return true;
    } catch (error) {
      if (!isFault(error, "io/write-failed")) throw error;
      this.#d.log.error("boot.untold", { message: error.message });
      return false;
    }
  }

  /** The outcome, written down and reported. */
  finish(end: End): Outcome {
    const { io, report, log } = this.#d;
    const { findings } = this.#seen;
    const outcome: Outcome = {
      v: 1,
      outcome: end.outcome,
      degraded: isDone(end) && (end.degraded === true || findings.some(losesSomething)),
      message: end.message,
      bootId: this.#writer.bootId,
      instanceId: this.#seen.instanceId,
      datasource: this.#seen.datasource,
      profile: this.#seen.profile,
      confidence: this.#seen.confidence,
      generation: end.generation ?? null,
      toplevel: end.toplevel ?? null,
      sourcesDigest: end.sourcesDigest ?? null,
      verdict: end.verdict ?? null,
      findings,
      fault: end.fault == null ? null : withAdvice(end.fault),
      restart: end.restart ?? false,
      bootProved: end.bootProved ?? null,
      lastTrial: end.lastTrial ?? null,
      triedAgainAt: end.triedAgainAt ?? null,
      stages: this.#stages,
      startedAt: this.#startedAt,
      finishedAt: timestamp(io.clock),
    };
    report({ kind: "boot.finished", body: bootFinished(outcome) });
    for (const finding of findings) report({ kind: "finding", body: findingEvent(finding) });
    // Where another process is at it, the files are that one's.
    if (end.fault?.code !== "system/locked") {
      this.tell(() => this.#write(outcome));
      const { by } = this.#d;
      this.tell(() => rememberBoot(io, { ...outcome, by, search: this.#seen.search ?? noSearch }));
    }
    log.info("boot.finished", {
      outcome: outcome.outcome,
      generation: outcome.generation,
      // What a fault says stands in a line of its own.
      ...(outcome.fault === null ? { message: outcome.message } : { code: outcome.fault.code }),
    });
    return outcome;
  }

  /** A change that came to no trial leaves the node as its last boot told it. */
  #write(outcome: Outcome): void {
    const { io, by } = this.#d;
    const isTried = this.#stages.some(({ stage }) => stage === "try" || stage === "judge");
    const changed = isTried || comesToATrial.includes(outcome.outcome);
    if (by === "boot" || changed || readResult(io.files) === undefined) {
      writeResult(io, this.#writer, outcome);
      writeCloudInitResult(io, outcome);
    } else writeStatus(io, this.#writer, { state: "done", stage: outcome.outcome });
  }
}
