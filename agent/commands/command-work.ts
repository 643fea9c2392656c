import { prettyJson } from "#core/canonical-json.ts";
import type { Files } from "#core/io.ts";
import type { CommandAnswered } from "#generated/protocol/messages/command-answered.ts";
import type { Command } from "#protocol/trust/command.ts";
import { commandWorkDirectory } from "../update/places.ts";

/** What came of a command. */
export type CommandAnswer =
  | { readonly outcome: "done"; readonly result: CommandResult }
  | { readonly outcome: "failed"; readonly code: string; readonly message: string };

/** What a command that is done says, by its name; no secret in it. */
export type CommandResult = NonNullable<CommandAnswered["result"]>;

/** What is written down before the first effect of a command, so that whoever goes on knows what it was. */
export type CommandNote = Readonly<Record<string, string | number | boolean | null>>;

/** How far a command was carried out. */
export interface CommandWork {
  readonly v: 1;
  readonly command: Command;
  /** `null` before its first effect. */
  readonly begun: {
    readonly at: string;
    readonly bootId: string;
    readonly note: CommandNote;
  } | null;
  readonly answer: CommandAnswer | null;
  /** Place of its answer among all answers, by which it is told once; `null` until there is one. */
  readonly number: number | null;
}

/** What is known of commands that were begun, a file each. Only one process writes them. */
export interface CommandWorks {
  read(id: string): CommandWork | undefined;
  list(): readonly CommandWork[];
  /** Durably. Throws `io/write-failed`. */
  write(work: CommandWork): void;
  remove(id: string): void;
}

/** As the schema of commands has it: safe as the name of a file. */
const isId = /^[A-Za-z0-9][A-Za-z0-9-]{15,63}$/;

/** The commands of this machine. A file that cannot be read counts as none. */
export function commandWorks(files: Files): CommandWorks {
  const works: CommandWorks = {
    read(id) {
      const text = files.readText(pathOf(id), { maxBytes: 256 * 1024 });
      return text === undefined ? undefined : parse(text, id);
    },
    list: () =>
      files.list(commandWorkDirectory).flatMap((name) => {
        const id = name.replace(/\.json$/, "");
        return isId.test(id) ? (works.read(id) ?? []) : [];
      }),
    write: (work) => files.write(pathOf(work.command.id), prettyJson(work), { mode: 0o600 }),
    remove: (id) => files.remove(pathOf(id)),
  };
  return works;
}

function parse(text: string, id: string): CommandWork | undefined {
  try {
    const work = JSON.parse(text) as Partial<CommandWork> | null;
    return work?.v === 1 && work.command?.id === id ? (work as CommandWork) : undefined;
  } catch {
    return undefined;
  }
}

function pathOf(id: string): string {
  return `${commandWorkDirectory}/${id}.json`;
}
