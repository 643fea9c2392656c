import type { Io } from "#core/io.ts";
import { printable } from "#core/printable.ts";

const timeoutMs = 30_000;
const maxMessage = 200;

/** Where a text stops being Nix. */
export interface NixSyntaxFault {
  /** From 1; `null` where Nix names no place. */
  readonly line: number | null;
  readonly column: number | null;
  /** In Nix's words. */
  readonly message: string;
}

/**
 * Whether a text is Nix, with all its variables bound: `undefined` where it is. Nothing of it is evaluated, and no
 * store is opened. Throws `exec/not-found` where there is no Nix.
 */
export async function parseNix(
  { exec }: Pick<Io, "exec">,
  text: string,
): Promise<NixSyntaxFault | undefined> {
  const { code, stderr, timedOut } = await exec({
    file: "nix-instantiate",
    args: ["--store", "dummy://", "--readonly-mode", "--parse", "-"],
    stdin: text,
    timeoutMs,
  });
  if (code === 0) return undefined;
  const said = printable(stderr);
  const [, line, column] = /at (?:«stdin»|\(stdin\)):(\d+):(\d+)/.exec(said) ?? [];
  const [, words] = /^\s*error:\s+(.+)$/m.exec(said) ?? [];
  const place = line === undefined || column === undefined ? null : { line, column };
  return {
    line: place && Number(place.line),
    column: place && Number(place.column),
    message: timedOut
      ? `Nix did not read it within ${timeoutMs / 1000} s`
      : (words ?? "Nix cannot read it").slice(0, maxMessage),
  };
}
