import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { type Io, timestamp } from "#core/io.ts";
import type { Command } from "#protocol/trust/command.ts";
import { trustLimits } from "#protocol/trust/limits.ts";
import { timeOf, timeText } from "#protocol/trust/metadata.ts";
import { type CommandAnswer, commandWorks } from "../commands/command-work.ts";
import { commandsFile, commandsWaitingFile } from "./places.ts";

/** So many commands may wait or be remembered at once; each counts for five minutes at most. */
const maxCommands = 64;

/** A command that was verified and taken. */
export interface TakenCommand {
  readonly command: Command;
  readonly receivedAt: string;
  /** What came of it; `null` until it was carried out. */
  readonly answer: CommandAnswer | null;
}

/** As it is remembered: what came of it lies elsewhere, because somebody else writes that. */
type Remembered = Omit<TakenCommand, "answer">;

/** What {@link commandsFile} holds. */
interface CommandsFile {
  readonly v: 1;
  /** Every command that expired by then is forgotten, and none such is taken again. */
  readonly forgottenUntil: string | null;
  readonly commands: readonly Remembered[];
}

/** Remembers commands, so that each is carried out once. */
export interface CommandStore {
  /** What is remembered, in the order in which it came. */
  list(): readonly TakenCommand[];
  /**
   * Remembers a verified command, durably; whether it is new. One that is known is answered as it was; one
   * that has expired is forgotten when it was answered. Throws `trust/replay` on what was forgotten
   * already, `trust/limit` when too many are remembered.
   */
  take(command: Command, nowMs: number): { readonly isNew: boolean; readonly taken: TakenCommand };
}

/** The commands of this machine. */
export function commandStore({ files, clock }: Pick<Io, "files" | "clock">): CommandStore {
  const works = commandWorks(files);
  const taken = (command: Remembered): TakenCommand => ({
    ...command,
    answer: works.read(command.command.id)?.answer ?? null,
  });

  /** The next boot begins them anyway, so it need not be durable. */
  const wake = () => files.unsynced.write(commandsWaitingFile, "", { mode: 0o644 });

  function read(): CommandsFile {
    const text = files.readText(commandsFile, { maxBytes: 1024 * 1024 });
    if (text === undefined) return { v: 1, forgottenUntil: null, commands: [] };
    const found = parse(text);
    if (found !== undefined) return found;
    // What was remembered is lost: nothing that was signed until now is taken again.
    const forgottenUntil = timeText(clock.now() + trustLimits.commandMs);
    files.rename(commandsFile, `${commandsFile}.damaged-${timestamp(clock)}`);
    const begun: CommandsFile = { v: 1, forgottenUntil, commands: [] };
    write(begun);
    return begun;
  }

  function write(content: CommandsFile): void {
    files.write(commandsFile, prettyJson(content), { mode: 0o600 });
  }

  return {
    list: () => read().commands.map(taken),
    take(command, nowMs) {
      const before = read();
      const known = before.commands.find(({ command: { id } }) => id === command.id);
      if (known !== undefined) {
        const found = taken(known);
        if (found.answer === null) wake();
        return { isNew: false, taken: found };
      }
      const isExpired = ({ expires }: Command) => timeOf(expires, "command") <= nowMs;
      const isOver = (each: Remembered) => isExpired(each.command) && taken(each).answer !== null;
      const over = before.commands.filter(isOver);
      const ends = [before.forgottenUntil, ...over.map((each) => each.command.expires)];
      const forgottenUntil = ends.reduce((a, b) => ((a ?? "") > (b ?? "") ? a : b), null);
      if (forgottenUntil !== null && command.expires <= forgottenUntil) {
        throw new Fault(
          "trust/replay",
          `command ${command.id}: commands that expired by ${forgottenUntil} are forgotten`,
        );
      }
      const kept = before.commands.filter((each) => !isOver(each));
      if (kept.length >= maxCommands) {
        throw new Fault("trust/limit", `more than ${maxCommands} commands at once`);
      }
      const fresh: Remembered = { command, receivedAt: timestamp(clock) };
      write({ v: 1, forgottenUntil, commands: [...kept, fresh] });
      wake();
      return { isNew: true, taken: taken(fresh) };
    },
  };
}

function parse(text: string): CommandsFile | undefined {
  try {
    const found = JSON.parse(text) as CommandsFile | null;
    return found?.v === 1 && Array.isArray(found.commands) ? found : undefined;
  } catch {
    return undefined;
  }
}
