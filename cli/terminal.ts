import { cutToWidth } from "#core/text-width.ts";
import type { LiveArea } from "./command.ts";
import { isUnicodeLocale, type Page } from "./drawing.ts";

/** What is used of a stream of Node.js. */
export interface TerminalStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

const esc = String.fromCharCode(27);

/** Writing to a stream that may be a terminal, with lines that stay at its end. */
export interface Terminal {
  /** Writes text above the lines that stay. */
  write(text: string): void;
  /** Takes the lines away while `action` writes to the same terminal by another way. */
  aside(action: () => void): void;
  /** `undefined` where there is no terminal, or one that can do nothing. */
  readonly live: LiveArea | undefined;
}

/** A stream as a page: as wide as its terminal, and 80 columns where it is none. */
export function pageOf(
  stream: Pick<TerminalStream, "columns">,
  env: Readonly<Record<string, string | undefined>>,
): Page {
  return { columns: stream.columns || 80, isUnicode: isUnicodeLocale(env) };
}

export function openTerminal(
  stream: TerminalStream,
  env: Readonly<Record<string, string | undefined>>,
): Terminal {
  let shown: readonly string[] = [];
  const clear = () => (shown.length === 0 ? "" : `${esc}[${shown.length}A\r${esc}[J`);
  const again = () => shown.map((line) => `${line}\n`).join("");
  const canMove = stream.isTTY === true && (env["TERM"] ?? "dumb") !== "dumb";

  const live: LiveArea = {
    columns: () => stream.columns || 80,
    rows: () => stream.rows || 24,
    isUnicode: isUnicodeLocale(env),
    show(lines) {
      const before = clear();
      // A line that fills the last column would begin a new one on some terminals.
      shown = lines.map((line) => cutToWidth(line, live.columns() - 1));
      if (before !== "" || shown.length > 0) stream.write(before + again());
    },
  };

  return {
    write: (text) => void stream.write(clear() + text + again()),
    aside(action) {
      if (shown.length > 0) stream.write(clear());
      action();
      if (shown.length > 0) stream.write(again());
    },
    live: canMove ? live : undefined,
  };
}
