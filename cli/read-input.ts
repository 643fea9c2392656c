import { createReadStream } from "node:fs";
import { addAbortSignal, type Readable } from "node:stream";
import { Fault } from "#core/fault.ts";
import { reasonOf } from "./path-kind.ts";

/** More than any document may hold; each reader has its own, smaller limit. */
const defaultMaxBytes = 32 * 1024 * 1024;

/** How a file is read. */
export interface ReadOptions {
  /** Ends the reading: a pipe may never come to its end. */
  readonly signal: AbortSignal;
  readonly maxBytes?: number;
}

/** Bytes of a file named on the command line, `-` for stdin. Throws `cli/no-file`, `cli/bad-input`. */
export async function readInput(
  name: string,
  { signal, maxBytes = defaultMaxBytes }: ReadOptions,
): Promise<Uint8Array> {
  const stream: Readable = name === "-" ? process.stdin : createReadStream(name);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of addAbortSignal(signal, stream) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes)
        throw new Fault(
          "cli/bad-input",
          `${name}: larger than the ${maxBytes / 1024 / 1024} MiB that are read at most`,
          { hint: "check that it is the right file" },
        );
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    if (signal.aborted) throw signal.reason;
    const isLoop = (cause as NodeJS.ErrnoException).code === "ELOOP";
    throw isLoop
      ? new Fault("cli/bad-input", `${name}: ${reasonOf(cause)}`, {
          cause,
          hint: "let the link lead to a file, or name the file itself",
        })
      : new Fault("cli/no-file", `${name}: ${reasonOf(cause)}`, { cause });
  }
  return Buffer.concat(chunks);
}
