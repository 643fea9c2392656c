import { hostFiles } from "./host-files.ts";
import type { Clock, ExecRequest, ExecResult, Io } from "./io.ts";

/** A clock that a test moves. */
export interface FakeClock extends Clock {
  /** Lets time pass. */
  advance(ms: number): void;
  /** Sets the time of day so much later, or earlier, as a server of time does; no time passes. */
  jump(ms: number): void;
}

/** A clock for tests: `sleep` advances it at once and never waits. */
export function fakeClock(startMs = Date.UTC(2026, 0, 1)): FakeClock {
  let passedMs = 0;
  let jumpedMs = 0;
  return {
    now: () => startMs + passedMs + jumpedMs,
    monotonicMs: () => passedMs,
    advance(ms) {
      passedMs += ms;
    },
    jump(ms) {
      jumpedMs += ms;
    },
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      passedMs += ms;
      await Promise.resolve();
    },
  };
}

/** Answers a request of a fake machine; unnamed parts are a clean exit without output. */
export type FakeProgram = (
  request: ExecRequest,
) => Partial<ExecResult> | Promise<Partial<ExecResult>>;

/** What a test can see of a fake machine. */
export interface FakeIo extends Io {
  readonly clock: FakeClock;
  /** Every process asked for, in order. */
  readonly executed: readonly ExecRequest[];
  /** Names of every effect, in order. */
  readonly effects: readonly string[];
}

/** What else a test can say of a fake machine. */
export interface FakeIoOptions {
  /** Called before each effect with its number, from 1: throwing there is a death at this effect. */
  readonly onEffect?: (number: number, name: string) => void;
}

/**
 * An {@link Io} for tests: real files below `root` (a temporary directory), a clock that never
 * waits, counted chance, and programs given as functions by name; any other program is not found.
 */
export function fakeIo(
  root: string,
  programs: Readonly<Record<string, FakeProgram>> = {},
  options: FakeIoOptions = {},
): FakeIo {
  const executed: ExecRequest[] = [];
  const effects: string[] = [];
  const effect = (name: string) => {
    options.onEffect?.(effects.length + 1, name);
    effects.push(name);
  };
  let counter = 0;
  return {
    files: hostFiles(root, effect),
    clock: fakeClock(),
    env: {},
    executed,
    effects,
    effect,
    random: {
      uuid: () => {
        counter += 1;
        return `00000000-0000-4000-8000-${counter.toString(16).padStart(12, "0")}`;
      },
      bytes: (length) => {
        counter += 1;
        return new Uint8Array(length).fill(counter & 0xff);
      },
    },
    async exec(request) {
      executed.push(request);
      const program = programs[request.file.split("/").at(-1) ?? request.file];
      if (program === undefined) {
        const { Fault } = await import("./fault.ts");
        throw new Fault("exec/not-found", `${request.file}: no such program`);
      }
      if (request.effect !== undefined) effect(request.effect);
      const answer = await program(request);
      for (const line of lines(answer.stdout)) request.onStdoutLine?.(line);
      for (const line of lines(answer.stderr)) request.onStderrLine?.(line);
      return {
        code: 0,
        signal: null,
        stdout: "",
        stderr: "",
        timedOut: false,
        aborted: false,
        ms: 0,
        ...answer,
      };
    },
  };
}

function lines(text = ""): readonly string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}
