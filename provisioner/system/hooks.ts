import { prettyJson } from "#core/canonical-json.ts";
import { Fault, isFault } from "#core/fault.ts";
import { timestamp } from "#core/io.ts";
import type { HookRecord } from "#provisioner/render/hooks.ts";
import type { HookRequest } from "./commands.ts";
import type { EndedTrial } from "./ended-trials.ts";
import { readTrials } from "./history.ts";
import { hookUnit } from "./hook-line.ts";
import { readJournal } from "./journal.ts";
import { readGenerationRecord } from "./read-generation-record.ts";
import type { Closure } from "./system.ts";
import { hasAttempt } from "./transaction-state.ts";
import type { Change, Work } from "./work.ts";

/** The change that hooks belong to, and the system that names them. */
type Subject = Pick<Closure, "transaction" | "toplevel">;

/** How a hook ended. */
export interface HookResult {
  readonly name: string;
  readonly when: HookRecord["when"];
  /** `null`: it was killed, did not end within its deadline, or could not be started. */
  readonly exitCode: number | null;
  /** Why it failed, or `null` when it did not. */
  readonly failure: string | null;
  readonly endedAt: string;
}

/** The hooks of the last change: `/var/lib/firstlight/hooks.json`. */
export interface HookResults {
  readonly v: 1;
  readonly transaction: string;
  readonly results: readonly HookResult[];
  /** The last change that has ended and has nothing left to run; it may be an earlier one. */
  readonly settled: string | null;
}

/** What is needed to read them. */
interface HooksFile {
  readonly io: Pick<Work["io"], "files">;
  readonly paths: Pick<Work["paths"], "hooks">;
}

/** The hooks of a system for one moment, in order; none of one that firstlight did not make. */
export function hooksOf(
  { storeFiles }: Work,
  toplevel: string,
  when: HookRecord["when"],
): readonly HookRecord[] {
  const record = readGenerationRecord(storeFiles, toplevel);
  if (record === undefined || record === "unreadable") return [];
  return record.hooks.filter((hook) => hook.when === when);
}

/**
 * Runs what the system to be tried wants done before. Throws `system/hook-failed` where one fails
 * that may call the change off; nothing has been activated then.
 */
export async function runPreHooks(work: Work, closure: Closure): Promise<void> {
  const results: HookResult[] = [];
  const hooks = hooksOf(work, closure.toplevel, "pre-update");
  if (hooks.length === 0) return;
  for (const hook of hooks) {
    const result = await runHook(work, closure, hook);
    results.push(result);
    const stops = result.failure !== null && hook.aborts;
    write(work, { transaction: closure.transaction, results });
    if (stops) throw new Fault("system/hook-failed", `${hook.name}: ${result.failure}`);
  }
}

/**
 * Runs what the last change that has ended wants done after it, unless that was done before. A
 * failure is written down and undoes nothing. Killed in between, the next call goes on: a hook may
 * run again that was running then.
 */
export async function runAfterHooks(work: Work): Promise<void> {
  const pending = pendingHooks(work);
  if (pending === undefined) return;
  const { trial, hooks, results } = pending;
  const closure = { transaction: trial.txn, toplevel: ranFor(trial).toplevel };
  const all = [...results];
  for (const hook of hooks) {
    all.push(await runHook(work, closure, hook));
    const settled = hook === hooks.at(-1) ? { settled: trial.txn } : {};
    write(work, { transaction: trial.txn, results: all, ...settled });
  }
}

/** Does `work`, and then what a change that has ended by it wants done, however it ended. */
export async function thenHooks<T>(change: Change, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } finally {
    await runAfterHooks(change).catch((error: unknown) => {
      if (!isFault(error)) throw error;
      change.emit({ type: "step", step: "hooks", state: "failed", ms: null });
    });
  }
}

/** What {@link runAfterHooks} would do; no process. */
export function pendingHooks(work: Work):
  | {
      readonly trial: EndedTrial;
      readonly hooks: readonly HookRecord[];
      readonly results: readonly HookResult[];
    }
  | undefined {
  const trial = readTrials(work).at(-1);
  if (trial === undefined || hasAttempt(openState(work))) return undefined;
  const known = readHookResults(work);
  if (known?.settled === trial.txn) return undefined;
  const { toplevel, when } = ranFor(trial);
  const results = known?.transaction === trial.txn ? known.results : [];
  const hooks = hooksOf(work, toplevel, when).filter(
    (hook) => !results.some((result) => result.name === hook.name && result.when === when),
  );
  return hooks.length === 0 ? undefined : { trial, hooks, results };
}

/** Whose hooks an end runs. A commit that leaves a first boot is the way back of the system that was left. */
function ranFor({ outcome, attempt }: EndedTrial): {
  readonly toplevel: string;
  readonly when: HookRecord["when"];
} {
  const { closure, left } = attempt;
  if (left !== undefined) return { toplevel: left, when: "post-rollback" };
  const when = outcome === "committed" ? "post-update" : "post-rollback";
  return { toplevel: closure.toplevel, when };
}

/** How the hooks of the last change ended; `undefined` where there were none. */
export function readHookResults({ io, paths }: HooksFile): HookResults | undefined {
  const text = io.files.readText(paths.hooks, { maxBytes: 1024 * 1024 });
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Partial<HookResults> | null;
    return value?.v === 1 && Array.isArray(value.results) ? (value as HookResults) : undefined;
  } catch {
    return undefined; // only we write it: what is torn is none
  }
}

function openState({ io, paths }: Work) {
  return readJournal(io.files, paths.journal).ledger.state;
}

async function runHook(work: Work, closure: Subject, hook: HookRecord): Promise<HookResult> {
  const { name, when } = hook;
  const { transaction: txn, toplevel } = closure;
  const step = `hook ${name}`;
  work.emit({ type: "step", step, state: "started", ms: null });
  const started = work.io.clock.monotonicMs();
  const { exitCode, failure } = await endOf(work, { txn, toplevel, hook });
  const ms = Math.round(work.io.clock.monotonicMs() - started);
  work.emit({ type: "step", step, state: failure === null ? "finished" : "failed", ms });
  return { name, when, exitCode, failure, endedAt: timestamp(work.io.clock) };
}

/** Its own words are left to the log of its unit: a script may say what nobody else shall read. */
async function endOf(
  { commands, settings }: Work,
  request: HookRequest,
): Promise<Pick<HookResult, "exitCode" | "failure">> {
  try {
    const { exitCode, timedOut } = await commands.runHook(request);
    if (exitCode === 0 && !timedOut) return { exitCode, failure: null };
    const how = timedOut
      ? `it did not end within ${request.hook.timeoutMs} ms and was stopped`
      : exitCode === null
        ? "it was killed"
        : `it ended with exit code ${exitCode}`;
    const log = settings.systemd ? `; journalctl -u ${hookUnit(request)} tells its words` : "";
    return { exitCode, failure: `${how}${log}` };
  } catch (error) {
    if (!isFault(error)) throw error;
    return { exitCode: null, failure: `it could not be run: ${error.message}` };
  }
}

function write(
  work: Work,
  {
    transaction,
    results,
    settled,
  }: Pick<HookResults, "transaction" | "results"> & {
    readonly settled?: string;
  },
): void {
  const before = readHookResults(work)?.settled ?? null;
  const all: HookResults = { v: 1, transaction, results, settled: settled ?? before };
  work.io.files.write(work.paths.hooks, prettyJson(all), { mode: 0o644 });
}
