import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { connect } from "node:net";
import type { Readable } from "node:stream";
import { ReadStream } from "node:tty";
import { Fault, isFault } from "#core/fault.ts";
import { runProcess } from "#core/run-process.ts";

/** Between two pieces of an answer. */
const quietMs = 5_000;
const mostLineBytes = 24 * 1024 * 1024;
const sttyMs = 5_000;
/** As bytes, with nothing added and nothing waited for. */
const rawMode = ["raw", "-echo", "-ixon", "clocal", "cread"];
/** Of NixOS, where a unit has no path of its own. */
const sttyPrograms = ["stty", "/run/current-system/sw/bin/stty"];

/** A line of characters to somebody who answers by lines: a socket, or a serial port. */
export interface Line {
  readonly isSerial: boolean;
  write(text: string): Promise<void>;
  /**
   * The next line without its end. Throws `datasource/unreachable` where nothing comes for 5 s, at the
   * end of the line and of the signal, `datasource/malformed` beyond 24 MiB.
   */
  readLine(): Promise<string>;
  close(): void;
}

/** A line to a socket of this machine. */
export async function openSocketLine(path: string, signal: AbortSignal): Promise<Line> {
  const socket = connect({ path });
  socket.on("error", () => {}); // told by its reader
  return lineOver(path, socket, signal, {
    isSerial: false,
    write: (text) => new Promise((resolve) => void socket.write(text, () => resolve())),
    close: () => socket.destroy(),
  });
}

/** A line over a serial port. Opening it waits for no carrier, and reading blocks nobody. */
export async function openSerialLine(path: string, signal: AbortSignal): Promise<Line> {
  await setRaw(path, signal);
  let handle: FileHandle;
  try {
    const { O_RDWR, O_NOCTTY, O_NONBLOCK } = constants;
    handle = await open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
  } catch (error) {
    throw unreachable(path, error instanceof Error ? error.message : String(error));
  }
  let stream: ReadStream;
  try {
    stream = new ReadStream(handle.fd);
  } catch (error) {
    await handle.close();
    throw unreachable(path, `no serial port: ${String(error)}`);
  }
  stream.on("error", () => {});
  return lineOver(path, stream, signal, {
    isSerial: true,
    write: async (text) => void (await handle.write(text)),
    close() {
      stream.destroy();
      handle.close().catch(() => {}); // the stream may have closed it
    },
  });
}

async function setRaw(path: string, signal: AbortSignal): Promise<void> {
  for (const file of sttyPrograms) {
    try {
      const args = ["-F", path, ...rawMode];
      const { code, stderr } = await runProcess(
        { file, args, timeoutMs: sttyMs, graceMs: 1_000, signal },
        process.env,
      );
      if (code !== 0) throw unreachable(path, stderr.trim().slice(0, 200) || "stty failed");
      return;
    } catch (error) {
      if (!isFault(error, "exec/not-found")) throw error;
    }
  }
  throw unreachable(path, "there is no stty to prepare it");
}

function lineOver(
  path: string,
  stream: Readable,
  signal: AbortSignal,
  { isSerial, write, close }: Omit<Line, "readLine">,
): Line {
  let chunks: Buffer[] = [];
  let size = 0;
  let ended: string | undefined;
  let wake = () => {};
  const end = (why: string) => {
    ended ??= why;
    wake();
  };
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > mostLineBytes) stream.pause();
    wake();
  });
  stream.on("end", () => end("the other side has ended it"));
  stream.on("close", () => end("it is closed"));
  stream.on("error", (error) => end(error.message));
  const onAbort = () => end("out of time");
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  return {
    isSerial,
    write,
    async readLine() {
      let seen = 0;
      for (;;) {
        const newest = chunks.slice(seen).some((chunk) => chunk.includes(10));
        if (newest) {
          const all = Buffer.concat(chunks);
          const at = all.indexOf(10);
          const rest = all.subarray(at + 1);
          chunks = rest.length === 0 ? [] : [rest];
          size = rest.length;
          stream.resume();
          return all.toString("utf8", 0, at).replace(/\r$/, "");
        }
        if (size > mostLineBytes)
          throw new Fault("datasource/malformed", `${path}: a line without end came`);
        if (ended !== undefined) throw unreachable(path, ended);
        seen = chunks.length;
        let timer: NodeJS.Timeout | undefined;
        const isLate = await new Promise<boolean>((resolve) => {
          wake = () => resolve(false);
          timer = setTimeout(() => resolve(true), quietMs);
        });
        clearTimeout(timer);
        if (isLate) throw unreachable(path, `nothing came within ${quietMs} ms`);
      }
    },
    close() {
      signal.removeEventListener("abort", onAbort);
      close();
    },
  };
}

function unreachable(path: string, problem: string): Fault {
  return new Fault("datasource/unreachable", `${path}: ${problem}`);
}
