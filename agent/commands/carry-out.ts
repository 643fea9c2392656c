import type { Code } from "#core/codes.ts";
import { describeFault, Fault, isFault } from "#core/fault.ts";
import { readBootId, timestamp } from "#core/io.ts";
import type { Command } from "#protocol/trust/command.ts";
import { timeOf } from "#protocol/trust/metadata.ts";
import { toldCommand, writeSpool } from "../link/spool.ts";
import { commandStore } from "../update/command-store.ts";
import { commandsWaitingFile } from "../update/places.ts";
import {
  type CommandAnswer,
  type CommandWork,
  type CommandWorks,
  commandWorks,
} from "./command-work.ts";
import { afterRestart, type CommandDeps } from "./executor.ts";
import { executors } from "./executors.ts";

/** How far all of it came. */
export interface CommandRun {
  readonly answered: number;
  /** Whether the machine goes down, and the next start goes on. */
  readonly restarts: boolean;
  /** Why what is left is tried again; `undefined` where nothing is left. */
  readonly waits?: string;
}

/** Time heals these: what has begun is gone on with, and what has not waits until it expires. */
const passing: ReadonlySet<Code> = new Set([
  "system/locked",
  "system/repair-busy",
  "enroll/unreachable",
  "exec/timeout",
]);
/** What was begun is given up after so long. */
const givenUpMs = 3_600_000;
const maxMessage = 4_000;

/** What is known of the time. */
export interface CarryOutTimes {
  /** Milliseconds since 1970, and never before what was signed last. */
  readonly nowMs: () => number;
  /** Resolves when new ones are to be looked for beside one that takes long, or with the signal. */
  readonly untilLook: (signal: AbortSignal) => Promise<void>;
}

/**
 * Carries out the commands that are remembered, in order, and those that come meanwhile; quick ones are not
 * kept waiting by long ones. Each is executed once and answered once: what it is to be known by is
 * written before its first effect, its answer before that is told. Throws `io/write-failed`.
 */
export async function carryOutCommands(
  d: CommandDeps,
  { nowMs, untilLook }: CarryOutTimes,
): Promise<CommandRun> {
  const works = commandWorks(d.io.files);
  d.io.files.unsynced.remove(commandsWaitingFile);
  const run = { answered: 0, restarts: false };
  const waiting = new Map<string, string>();
  tellAnswers(d, works);

  /** Whether it came to an answer. */
  async function step(command: Command): Promise<void> {
    const end = await carryOne(d, works, { command, nowMs: nowMs() });
    if (end === "answered") run.answered += 1;
    else if (end === afterRestart) run.restarts = true;
    else waiting.set(command.id, end.waits);
  }

  async function quickOnes(): Promise<void> {
    for (const command of open(d, works).filter(isQuick))
      if (!waiting.has(command.id)) await step(command);
  }

  for (;;) {
    d.signal?.throwIfAborted();
    await quickOnes();
    const next = open(d, works).find((each) => !isQuick(each) && !waiting.has(each.id));
    if (next === undefined || run.restarts) break;
    await beside(step(next), { untilLook, quick: quickOnes });
  }
  forget(d, works);
  const [why] = waiting.values();
  return why === undefined ? run : { ...run, waits: why };
}

interface Beside extends Pick<CarryOutTimes, "untilLook"> {
  readonly quick: () => Promise<void>;
}

/** Does quick things while a long one goes on. */
async function beside(long: Promise<void>, { untilLook, quick }: Beside): Promise<void> {
  const ended = new AbortController();
  const watched = long.finally(() => ended.abort());
  watched.catch(() => {}); // thrown below
  while (!ended.signal.aborted) {
    await untilLook(ended.signal);
    if (!ended.signal.aborted) await quick();
  }
  await watched;
}

const isQuick = ({ name }: Command) => executors[name].isQuick;

/** Commands without an answer: what was begun first, then in the order in which they came. */
function open({ io }: CommandDeps, works: CommandWorks): readonly Command[] {
  const begun = works.list();
  const left = begun.filter(({ answer }) => answer === null).map(({ command }) => command);
  const known = new Set(begun.map(({ command }) => command.id));
  const fresh = commandStore(io)
    .list()
    .map(({ command }) => command)
    .filter(({ id }) => !known.has(id));
  return [...left, ...fresh];
}

type Step = "answered" | typeof afterRestart | { readonly waits: string };

async function carryOne(
  d: CommandDeps,
  works: CommandWorks,
  { command, nowMs }: { readonly command: Command; readonly nowMs: number },
): Promise<Step> {
  const { io, log } = d;
  const { id, name } = command;
  const executor = executors[name];
  let work: CommandWork = works.read(id) ?? {
    v: 1,
    command,
    begun: null,
    answer: null,
    number: null,
  };
  let end: CommandAnswer;
  try {
    if (work.begun === null) {
      requireTime(command, nowMs);
      requireArguments(command, executor.knows);
      const note = await executor.prepare(command, d);
      const begun = { at: timestamp(io.clock), bootId: readBootId(io.files), note };
      work = { ...work, begun };
      works.write(work);
      log.info("command.begun", { id, name });
    }
    const result = await executor.carryOut({ command, note: work.begun?.note ?? {} }, d);
    if (result === afterRestart) return afterRestart;
    end = { outcome: "done", result };
  } catch (error) {
    if (d.signal?.aborted === true || !isFault(error)) throw error;
    if (isFault(error, "io/write-failed")) throw error;
    const since = Math.abs(io.clock.now() - Date.parse(work.begun?.at ?? ""));
    const isGivenUp = work.begun !== null && since > givenUpMs;
    if (passing.has(error.code) && !isGivenUp) {
      if (error.code === "system/locked") await takeBackBegun(d, works, work);
      return { waits: `${name}: ${error.message}` };
    }
    const { code, message } = describeFault(error);
    end = { outcome: "failed", code, message: message.slice(0, maxMessage) };
  }
  works.write({ ...work, answer: end, number: nextNumber(d, works) });
  log.info("command.answered", { id, name, outcome: end.outcome });
  tellAnswers(d, works);
  return "answered";
}

/** What did not come to its first effect has not begun, and expires as if nobody had looked at it. */
async function takeBackBegun(
  d: CommandDeps,
  works: CommandWorks,
  work: CommandWork,
): Promise<void> {
  const { command, begun } = work;
  if (begun === null) return;
  const nothing = executors[command.name].hasDoneNothing;
  if (await nothing?.({ command, note: begun.note }, d)) works.write({ ...work, begun: null });
}

function requireTime({ expires }: Command, nowMs: number): void {
  if (timeOf(expires, "command") > nowMs) return;
  throw new Fault("command/expired", `it expired at ${expires}, before it could be begun`);
}

function requireArguments({ name, arguments: given }: Command, knows: readonly string[]): void {
  const unknown = Object.keys(given).find((each) => !knows.includes(each));
  if (unknown === undefined) return;
  const known = knows.length === 0 ? "none" : knows.join(", ");
  throw new Fault("command/argument-invalid", `${name}: takes ${known}, and got ${unknown}`);
}

function nextNumber({ io }: CommandDeps, works: CommandWorks): number {
  const numbers = works.list().map(({ number }) => number ?? 0);
  return Math.max(toldCommand(io.files), ...numbers) + 1;
}

/** Writes answers that were not told yet into the spool, once; a disk that takes none is logged. */
function tellAnswers({ io, log }: CommandDeps, works: CommandWorks): void {
  const told = toldCommand(io.files);
  const untold = works
    .list()
    .flatMap(({ command, answer, number }) =>
      answer === null || number === null || number <= told ? [] : [{ command, answer, number }],
    )
    .sort((one, other) => one.number - other.number);
  const last = untold.at(-1);
  if (last === undefined) return;
  try {
    const events = untold.map(({ command: { id, name }, answer }) => ({
      kind: "command.answered" as const,
      body: { command: name, id, ...answer },
    }));
    writeSpool(io, events, { command: last.number });
  } catch (error) {
    const { code, message } = describeFault(error);
    log.error("command.untold", { code, message });
  }
}

/** What was answered and told is forgotten when whoever receives commands has forgotten it. */
function forget({ io }: CommandDeps, works: CommandWorks): void {
  const told = toldCommand(io.files);
  const remembered = new Set(
    commandStore(io)
      .list()
      .map(({ command }) => command.id),
  );
  for (const { command, answer, number } of works.list())
    if (answer !== null && (number ?? 0) <= told && !remembered.has(command.id))
      works.remove(command.id);
}
