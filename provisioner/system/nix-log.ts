import { printable } from "#core/printable.ts";

/** Kinds of activity that are looked at; Nix has had their numbers since 2.0. */
export const activityTypes = {
  copyPath: 100,
  fileTransfer: 101,
  copyPaths: 103,
  builds: 104,
  build: 105,
  substitute: 108,
  postBuildHook: 110,
  buildWaiting: 111,
} as const;

/** Kinds of result that are looked at. */
export const resultTypes = {
  logLine: 101,
  untrustedPath: 102,
  corruptedPath: 103,
  setPhase: 104,
  progress: 105,
  setExpected: 106,
  postBuildLogLine: 107,
} as const;

export type NixField = string | number;

/**
 * One line of what Nix says with `--log-format internal-json`. Text is {@link printable}; ids are
 * texts, because Nix's are larger than what a number of JavaScript can tell apart.
 */
export type NixLogLine =
  /** Of a program that knows nothing of the format: a shell, ssh, an older Nix. */
  | { readonly is: "text"; readonly text: string }
  /** Level 0 is an error, 1 a warning, 3 what is said by default. */
  | { readonly is: "message"; readonly level: number; readonly text: string }
  | {
      readonly is: "start";
      readonly id: string;
      readonly type: number;
      readonly text: string;
      readonly fields: readonly NixField[];
    }
  | { readonly is: "stop"; readonly id: string }
  | {
      readonly is: "result";
      readonly id: string;
      readonly type: number;
      readonly fields: readonly NixField[];
    }
  /** A kind of message that is not known here. */
  | { readonly is: "other" };

const prefix = "@nix ";
const maxFieldLength = 4096;

/**
 * Reads one line, whoever wrote it: Nix 2.4 to 2.3x and Lix differ in keys (`parent`, `machine`,
 * `payload`, `trace`) that are not needed here. What is no message of Nix is text.
 */
export function parseNixLog(line: string): NixLogLine {
  if (!line.startsWith(prefix)) return { is: "text", text: printable(line) };
  const message = parseObject(line.slice(prefix.length));
  if (message === undefined) return { is: "text", text: printable(line) };
  const id = typeof message["id"] === "string" ? message["id"] : "";
  const type = numberOf(message["type"]);
  const fields = fieldsOf(message["fields"]);
  switch (message["action"]) {
    case "msg":
      return { is: "message", level: numberOf(message["level"]), text: textOf(message["msg"]) };
    case "start":
      return { is: "start", id, type, text: textOf(message["text"]), fields };
    case "stop":
      return { is: "stop", id };
    case "result":
      return { is: "result", id, type, fields };
    default:
      return { is: "other" };
  }
}

/** A field as text; empty when it is none. */
export function textField(fields: readonly NixField[], index: number): string {
  const field = fields[index];
  return typeof field === "string" ? field : "";
}

/** A field as a count or bytes; 0 when it is none. */
export function countField(fields: readonly NixField[], index: number): number {
  const field = fields[index];
  return typeof field === "number" && Number.isFinite(field) ? Math.max(0, field) : 0;
}

function parseObject(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    // Inside of a string a quote has a backslash before it: this is a key of a message.
    const value: unknown = JSON.parse(json.replace(/"id":\s*([0-9]+)/, '"id":"$1"'));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function fieldsOf(value: unknown): readonly NixField[] {
  if (!Array.isArray(value)) return [];
  return value.map((field: unknown) => {
    if (typeof field === "number") return field;
    return typeof field === "string" ? printable(lastShown(field)).slice(0, maxFieldLength) : "";
  });
}

/** What a terminal shows of a line in which a program went back to its start. */
function lastShown(line: string): string {
  return line.replace(/\r+$/, "").replace(/^.*\r/s, "");
}

function textOf(value: unknown): string {
  return typeof value === "string" ? printable(value) : "";
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : -1;
}
