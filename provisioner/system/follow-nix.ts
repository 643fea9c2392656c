import type { Clock } from "#core/io.ts";
import type { PlannedBuild } from "./build-activity.ts";
import type { Talk } from "./commands.ts";
import { followTotals } from "./follow-totals.ts";
import { parseDryRun } from "./nix-dry-run.ts";
import { failedDerivation } from "./nix-errors.ts";
import {
  activityTypes,
  countField,
  type NixField,
  type NixLogLine,
  parseNixLog,
  resultTypes,
  textField,
} from "./nix-log.ts";

/** What is made of Nix's lines while it works. */
export interface NixFollower {
  /** A line of its stderr. */
  line(text: string): void;
  /** What it said as a person would have seen it, the last of it. */
  said(): string;
  /** The last lines of a build's log; of Lix and others the failure is told after the build's end. */
  logOf(derivation: string): readonly string[];
}

export interface FollowOptions extends Talk {
  readonly clock: Clock;
  /** The tree of what Nix says it will build. */
  readonly plan?: (derivations: readonly string[]) => readonly PlannedBuild[];
  /** Called with each error that Nix tells, while it still runs. */
  readonly onError?: () => void;
}

const maxTail = 25;
const maxTails = 64;
const maxSaidChars = 1024 * 1024;
/** Between two events about bytes. */
const bytesPauseMs = 250;
/** What Nix says unless it is asked for more. */
const usualLevel = 3;

/** Follows Nix's lines: tells what goes on as events and keeps what a failure is explained with. */
export function followNix(options: FollowOptions): NixFollower {
  const { emit, signal, onError, plan } = options;
  let isPlanned = false;
  const said = keepSaid();
  const tails = new Map<string, string[]>();
  const failed = new Set<string>();
  const running = new Map<string, Running>();
  const unexplained = new Set<string>();
  const totals = followTotals(options);

  function say(text: string, derivation: string | null): void {
    for (const line of text.split("\n")) {
      if (line.trim() !== "") emit({ type: "build-log", line, derivation });
    }
  }

  function message(level: number, text: string): void {
    if (level > usualLevel) return;
    said.add(text);
    say(text, null);
    if (level !== 0) return;
    const { derivation, how } = failedDerivation(text);
    if (derivation !== undefined && !failed.has(derivation)) {
      failed.add(derivation);
      end(derivation, "failed", how);
    }
    for (const path of unexplained) if (path !== derivation) end(path, "stopped");
    unexplained.clear();
    onError?.();
  }

  function end(path: string, how: "done" | "failed" | "stopped", why: string | null = null): void {
    emit({ type: "build", activity: { kind: "ended", path, end: how, how: why } });
  }

  /** Before the first work begins, Nix has said what there will be. */
  function tellPlan(): void {
    if (isPlanned || plan === undefined) return;
    isPlanned = true;
    const { builds } = parseDryRun(said.text());
    if (builds.length > 0)
      emit({ type: "build", activity: { kind: "planned", builds: plan(builds) } });
  }

  function start({ id, type, text, fields }: Extract<NixLogLine, { is: "start" }>): void {
    const path = textField(fields, 0);
    totals.start(id, type);
    if (type === activityTypes.buildWaiting && path !== "") {
      emit({ type: "build", activity: { kind: "waiting", path, why: text } });
    }
    const what = workTypes.get(type);
    if (what === undefined || path === "") return;
    tellPlan();
    const isKnown = [...running.values()].some((other) => other.path === path);
    running.set(id, { path, isSecond: isKnown, bytesAt: 0 });
    if (isKnown) return; // the copying that a fetch consists of
    const from = textField(fields, 1) || null;
    emit({ type: "build", activity: { kind: "started", what, path, from } });
  }

  function stop(id: string): void {
    const work = running.get(id);
    running.delete(id);
    totals.stop(id);
    if (work === undefined || work.isSecond || failed.has(work.path)) return;
    // Later versions end a build before they say that it was the one that failed.
    if (totals.failedBuilds() > failed.size) unexplained.add(work.path);
    else end(work.path, failed.size === 0 && !signal.aborted ? "done" : "stopped");
  }

  function log(path: string | undefined, line: string): void {
    say(line, path ?? null);
    if (path === undefined) return;
    const tail = tails.get(path) ?? [];
    tail.push(line);
    if (tail.length > maxTail) tail.shift();
    tails.delete(path); // so that the one that said nothing for longest is the first
    tails.set(path, tail);
    const [oldest] = tails.keys();
    if (tails.size > maxTails && oldest !== undefined) tails.delete(oldest);
  }

  function result(id: string, type: number, fields: readonly NixField[]): void {
    const work = running.get(id);
    const text = textField(fields, 0);
    totals.result(id, type, fields);
    if (type === resultTypes.logLine) log(work?.path, text);
    else if (type === resultTypes.postBuildLogLine) say(text, work?.path ?? null);
    else if (type === resultTypes.untrustedPath) say(`no signature that is trusted: ${text}`, null);
    else if (type === resultTypes.corruptedPath) say(`not what was promised: ${text}`, null);
    else if (work === undefined) return;
    else if (type === resultTypes.setPhase && text !== "") {
      emit({ type: "build", activity: { kind: "phase", path: work.path, phase: text } });
    } else if (type === resultTypes.progress) bytes(work, fields);
  }

  function bytes(work: Running, fields: readonly NixField[]): void {
    const [done, expected] = [countField(fields, 0), countField(fields, 1)];
    const now = options.clock.monotonicMs();
    if (expected === 0 || (now - work.bytesAt < bytesPauseMs && done < expected)) return;
    work.bytesAt = now;
    emit({ type: "build", activity: { kind: "bytes", path: work.path, done, expected } });
  }

  return {
    line(text) {
      const line = parseNixLog(text);
      if (line.is === "text") message(usualLevel, line.text);
      else if (line.is === "message") message(line.level, line.text);
      else if (line.is === "start") start(line);
      else if (line.is === "stop") stop(line.id);
      else if (line.is === "result") result(line.id, line.type, line.fields);
    },
    said: said.text,
    logOf: (derivation) => tails.get(derivation) ?? [],
  };
}

/** One piece of work under way. */
interface Running {
  readonly path: string;
  /** Whether another one with the same path is told of already. */
  readonly isSecond: boolean;
  bytesAt: number;
}

const workTypes: ReadonlyMap<number, "build" | "fetch"> = new Map([
  [activityTypes.build, "build"],
  [activityTypes.substitute, "fetch"],
  [activityTypes.copyPath, "fetch"],
]);

/** Keeps the last of what was said. */
function keepSaid() {
  const texts: string[] = [];
  let length = 0;
  return {
    add(text: string) {
      texts.push(text);
      length += text.length;
      while (length > maxSaidChars && texts.length > 1) length -= texts.shift()?.length ?? 0;
    },
    text: () => texts.join("\n"),
  };
}
