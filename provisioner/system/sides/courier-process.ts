import { spawn } from "node:child_process";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import type { CourierAnswer, CourierRequest } from "../fetch/courier.ts";
import { ByteReader } from "./byte-reader.ts";
import { type ChildRequest, parseFrame, parseHead } from "./courier-words.ts";

const maxLineBytes = 4_096;
const maxComplaintBytes = 2_048;

/** A running child that goes to the network, for one request after another. */
export interface CourierProcess {
  /** Whether it has answered all it was asked, and lives. */
  readonly free: boolean;
  /**
   * Asks; `onFree` is called when the next request may come. An answer that is closed, or called off,
   * before its end takes the child with it.
   */
  ask(request: CourierRequest, onFree: () => void): Promise<CourierAnswer>;
}

/** Starts a child; it ends with its input, and so with this process at the latest. */
export function startCourier([file, ...args]: readonly [string, ...string[]]): CourierProcess {
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] });
  const reader = new ByteReader(child.stdout);
  const complaint = lastWords(child.stderr);
  const streams = [child.stdin, child.stdout, child.stderr] as unknown as readonly Socket[];
  let free = true;
  const ended = new Promise<Error>((resolve) => {
    child.once("error", resolve);
    child.once("close", (code) => {
      const silent = code === 0 ? "the child said nothing" : `the child ended with ${code}`;
      resolve(new Error(complaint() || silent));
    });
  });
  child.stdin.on("error", () => {}); // it may end before it has read

  /** One that waits for a request must not keep this process. */
  function setFree(isFree: boolean): void {
    free = isFree;
    for (const handle of [child, ...streams]) isFree ? handle.unref() : handle.ref();
  }

  function kill(): void {
    child.stdin.destroy(); // which is the child's word to end
    child.stdout.destroy();
    child.kill();
  }

  async function line(): Promise<string> {
    const text = await reader.line(maxLineBytes);
    if (text === undefined) throw await ended;
    return text;
  }

  async function ask(
    { signal, ...request }: CourierRequest,
    onFree: () => void,
  ): Promise<CourierAnswer> {
    let isDone = false;
    const done = () => {
      isDone = true;
      signal.removeEventListener("abort", close);
      setFree(true);
      onFree();
    };
    const close = () => {
      if (isDone) return;
      isDone = true;
      signal.removeEventListener("abort", close);
      kill();
    };
    /** What is thrown ends the child, unless it was the child's own word about this request. */
    const failed = (error: unknown) => {
      close();
      return signal.aborted ? signal.reason : error;
    };
    setFree(false);
    signal.addEventListener("abort", close, { once: true });
    child.stdin.write(`${JSON.stringify(request satisfies ChildRequest)}\n`);

    async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        for (let frame = parseFrame(await line()); ; frame = parseFrame(await line())) {
          if (frame === 0 || typeof frame === "object") done();
          if (frame === 0) return;
          if (typeof frame === "object") throw new Error(frame.error);
          yield* reader.bytes(frame);
        }
      } catch (error) {
        throw failed(error);
      } finally {
        close();
      }
    }

    try {
      const head = parseHead(await line());
      if ("error" in head) {
        done();
        throw new Error(head.error);
      }
      return { ...head, body: body(), close };
    } catch (error) {
      throw failed(error);
    }
  }

  return {
    get free() {
      return free && child.exitCode === null && child.signalCode === null;
    },
    ask,
  };
}

/** The end of what a child complains of, its last line. */
function lastWords(stream: Readable): () => string {
  let text = "";
  stream.on("data", (chunk: Uint8Array) => {
    text = (text + Buffer.from(chunk).toString("utf8")).slice(-maxComplaintBytes);
  });
  return () => text.trim().split("\n").at(-1) ?? "";
}
