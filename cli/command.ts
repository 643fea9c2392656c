import type { ParseArgsConfig } from "node:util";
import type { Finding } from "#core/finding.ts";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import type { Page } from "./drawing.ts";

/** Values of the flags that a command declares; `true` for a switch. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** Where a command speaks: stdout is data, stderr is talk. */
export interface Output {
  /** Data for a person or, with `--json`, one JSON document. */
  data(text: string): void;
  /** Talk: progress, hints. */
  talk(text: string): void;
  /** Talk of findings; the fault of a command that fails after it has them beside it in JSON. */
  findings(findings: readonly Finding[]): void;
  /** How pictures for a person may look among the data. */
  readonly page: Page;
  /** Where talk goes to a terminal: lines that stay at its end. */
  readonly live: LiveArea | undefined;
}

/** Lines at the end of a terminal, drawn anew in place. */
export interface LiveArea {
  columns(): number;
  rows(): number;
  /** Whether its letters are UTF-8. */
  readonly isUnicode: boolean;
  /** Takes the place of what was shown before; each line is cut to the width. */
  show(lines: readonly string[]): void;
}

/** One run of a command. */
export interface Invocation {
  readonly args: readonly string[];
  readonly flags: Flags;
  readonly json: boolean;
  readonly io: Io;
  readonly log: Log;
  readonly out: Output;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

/** A command of the program; one file each, loaded when it is called. */
export interface Command {
  /** After the program's name: `translate FILE… [--format spec|nix|json]`. */
  readonly usage: string;
  /** What it does, one sentence. */
  readonly summary: string;
  /** More for `--help`, examples first. */
  readonly help?: string;
  readonly options?: NonNullable<ParseArgsConfig["options"]>;
  /** Smallest and largest number of arguments. */
  readonly arity: readonly [number, number];
  /** Returns the exit code. */
  run(invocation: Invocation): Promise<number>;
}

/** Value of a flag that takes one. */
export function textFlag(flags: Flags, name: string): string | undefined {
  const value = flags[name];
  return typeof value === "string" ? value : undefined;
}
