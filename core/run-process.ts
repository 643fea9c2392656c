import { spawn } from "node:child_process";
import { performance } from "node:perf_hooks";
import { longestTimerMs } from "./duration.ts";
import { Fault } from "./fault.ts";
import type { ExecRequest, ExecResult } from "./io.ts";
import { killTree } from "./process-tree.ts";

const defaultGraceMs = 5_000;
const defaultMaxOutputBytes = 4 * 1024 * 1024;
const maxLineLength = 1024 * 1024;

/**
 * Runs a process in a group of its own, with a deadline. Throws only `exec/not-found`; every other
 * end is a result. Nothing of it outlives the call: the group and what descends from it are killed when
 * the deadline, the signal or the grace time says so.
 */
export function runProcess(
  request: ExecRequest,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ExecResult> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(request.file, request.args, {
      env: { ...env, ...request.env },
      cwd: request.cwd,
      detached: true,
      stdio: [request.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    let timedOut = false;
    let aborted = false;
    let grace: NodeJS.Timeout | undefined;

    const kill = (signal: NodeJS.Signals) => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, signal);
      } catch {
        // The group is gone already.
      }
    };
    const end = () => {
      kill(request.stopSignal ?? "SIGTERM");
      grace ??= setTimeout(() => {
        if (child.pid !== undefined && child.exitCode === null) killTree(child.pid);
        kill("SIGKILL");
        // One that was orphaned before and left the group may still hold the pipes.
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, request.graceMs ?? defaultGraceMs);
    };
    const deadline = setTimeout(
      () => {
        timedOut = true;
        end();
      },
      Math.min(request.timeoutMs, longestTimerMs),
    );
    const onAbort = () => {
      aborted = true;
      end();
    };
    if (request.signal?.aborted === true) onAbort();
    else request.signal?.addEventListener("abort", onAbort, { once: true });
    const settle = () => {
      clearTimeout(deadline);
      clearTimeout(grace);
      request.signal?.removeEventListener("abort", onAbort);
    };

    const limit = request.maxOutputBytes ?? defaultMaxOutputBytes;
    const stdout = collect(limit, request.onStdoutLine);
    const stderr = collect(limit, request.onStderrLine);
    child.stdout?.on("data", stdout.add);
    child.stderr?.on("data", stderr.add);
    child.stdin?.on("error", () => {}); // a process may end without reading its input
    if (request.stdin !== undefined) child.stdin?.end(request.stdin);

    child.on("error", (error: NodeJS.ErrnoException) => {
      settle();
      const missing = error.code === "ENOENT";
      const message = missing
        ? `${request.file}: no such program`
        : `${request.file}: ${error.message}`;
      reject(new Fault(missing ? "exec/not-found" : "exec/failed", message, { cause: error }));
    });
    child.on("close", (code, signal) => {
      settle();
      const ms = performance.now() - started;
      resolve({
        code,
        signal,
        stdout: stdout.text(),
        stderr: stderr.text(),
        timedOut,
        aborted,
        ms,
      });
    });
  });
}

/** Keeps the last `limit` bytes of a stream and hands out its lines. */
function collect(limit: number, onLine: ((line: string) => void) | undefined) {
  const chunks: Buffer[] = [];
  let size = 0;
  let partial = "";
  let isCut = false;
  const decoder = new TextDecoder();
  return {
    add(chunk: Buffer) {
      chunks.push(chunk);
      size += chunk.length;
      for (
        let first = chunks[0];
        first !== undefined && size - first.length >= limit;
        first = chunks[0]
      ) {
        chunks.shift();
        size -= first.length;
      }
      if (onLine === undefined) return;
      const lines = (partial + decoder.decode(chunk, { stream: true })).split("\n");
      partial = lines.pop() ?? "";
      for (const line of lines) {
        if (!isCut) onLine(line);
        isCut = false;
      }
      if (partial.length > maxLineLength) {
        if (!isCut) onLine(partial.slice(0, maxLineLength));
        isCut = true;
        partial = "";
      }
    },
    text() {
      if (onLine !== undefined && partial !== "" && !isCut) onLine(partial);
      partial = "";
      const all = Buffer.concat(chunks);
      return all.subarray(Math.max(0, all.length - limit)).toString("utf8");
    },
  };
}
