import { sha256 } from "./canonical-json.ts";
import { isFault } from "./fault.ts";
import type { FileStat, Files, Io } from "./io.ts";

/** Something that can be asked of a machine again, and changes nothing: what, where, and its limit. */
export type Question = readonly [kind: QuestionKind, what: string, limit: number | null];

type QuestionKind = "bytes" | "names" | "kind" | "size" | "target" | "real" | "host" | "env";

/** What was asked in one run, and a digest of the answers. */
export interface Trace {
  readonly questions: readonly Question[];
  readonly answers: string;
}

/** An {@link Io} that remembers what it was asked. */
export interface TracedIo {
  readonly io: Io;
  /** Each question once, with its first answer; `undefined` where asking again cannot tell all. */
  trace(): Trace | undefined;
  /** Says that something was decided by what no question shows: an answer of the network. */
  spoil(): void;
}

/**
 * Remembers every question that goes through it. Whatever is no question (a change, a process, the
 * time, chance, a device, room on a disk) spoils the trace, and so does an answer that changes.
 */
export function traceIo(io: Io): TracedIo {
  const known = new Map<string, string>();
  let spoilt = false;
  const spoil = () => {
    spoilt = true;
  };
  const note = (question: Question, answer: string) => {
    const key = JSON.stringify(question);
    const before = known.get(key);
    if (before !== undefined && before !== answer) spoil();
    known.set(key, before ?? answer);
  };

  function ask<T>(question: Question, answer: () => T): T {
    try {
      const value = answer();
      note(question, textOf(value));
      return value;
    } catch (error) {
      note(question, textOfFault(error));
      throw error;
    }
  }

  /** Does what is no question. */
  const doing =
    <A extends readonly unknown[], R>(action: (...args: A) => R) =>
    (...args: A): R => {
      spoil();
      return action(...args);
    };

  function askStat(path: string): FileStat | undefined {
    const stat = io.files.stat(path);
    note(["kind", path, null], kindText(stat));
    if (stat === undefined) return undefined;
    return {
      kind: stat.kind,
      mode: stat.mode,
      uid: stat.uid,
      get size() {
        return ask(["size", path, null], () => stat.size);
      },
      get modifiedMs() {
        spoil();
        return stat.modifiedMs;
      },
    };
  }

  const { files } = io;
  const traced: Files = {
    root: files.root,
    get unsynced() {
      spoil(); // nothing but changes are made by it
      return files.unsynced;
    },
    canWrite: doing(files.canWrite),
    hostPath: (path) => ask(["host", path, null], () => files.hostPath(path)),
    read: (path, options) =>
      ask(["bytes", path, options?.maxBytes ?? null], () => files.read(path, options)),
    readText(path, options) {
      const bytes = traced.read(path, options);
      return bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
    },
    list: (path) => ask(["names", path, null], () => files.list(path)),
    stat: askStat,
    readLink: (path) => ask(["target", path, null], () => files.readLink(path)),
    realPath: (path) => ask(["real", path, null], () => files.realPath(path)),
    space: doing(files.space),
    open: doing(files.open),
    write: doing(files.write),
    create: doing(files.create),
    append: doing(files.append),
    link: doing(files.link),
    rename: doing(files.rename),
    syncTree: doing(files.syncTree),
    makeDirectory(path, options) {
      if (askStat(path) === undefined) spoil();
      files.makeDirectory(path, options);
    },
    remove(path, options) {
      if (askStat(path) !== undefined) spoil();
      files.remove(path, options);
    },
  };
  return {
    io: {
      files: traced,
      clock: {
        now: doing(io.clock.now),
        monotonicMs: doing(io.clock.monotonicMs),
        sleep: doing(io.clock.sleep),
      },
      random: { uuid: doing(io.random.uuid), bytes: doing(io.random.bytes) },
      exec: doing(io.exec),
      effect: doing(io.effect),
      env: new Proxy(io.env, {
        get: (env, name) =>
          ask(
            ["env", String(name), null],
            () => (env as Readonly<Record<string | symbol, string>>)[name],
          ),
        ownKeys: doing(Reflect.ownKeys),
      }),
    },
    trace: () =>
      spoilt
        ? undefined
        : {
            questions: [...known.keys()].map((key) => JSON.parse(key) as Question),
            answers: sha256([...known.values()].join("\n")),
          },
    spoil,
  };
}

/** Digest of what a machine answers now to the questions of a trace. */
export function digestAnswers(
  io: Pick<Io, "files" | "env">,
  questions: readonly Question[],
): string {
  return sha256(questions.map((question) => answerOf(io, question)).join("\n"));
}

function answerOf({ files, env }: Pick<Io, "files" | "env">, question: Question): string {
  const [kind, what, limit] = question;
  try {
    switch (kind) {
      case "bytes":
        return textOf(files.read(what, limit === null ? {} : { maxBytes: limit }));
      case "names":
        return textOf(files.list(what));
      case "kind":
        return kindText(files.stat(what));
      case "size":
        return textOf(files.stat(what)?.size);
      case "target":
        return textOf(files.readLink(what));
      case "real":
        return textOf(files.realPath(what));
      case "host":
        return textOf(files.hostPath(what));
      case "env":
        return textOf(env[what]);
    }
  } catch (error) {
    return textOfFault(error);
  }
}

function kindText(stat: FileStat | undefined): string {
  return stat === undefined ? "absent" : `${stat.kind} ${stat.mode} ${stat.uid}`;
}

function textOf(value: unknown): string {
  if (value === undefined) return "absent";
  return value instanceof Uint8Array ? `bytes ${sha256(value)}` : JSON.stringify(value);
}

function textOfFault(error: unknown): string {
  if (!isFault(error)) throw error;
  return `fault ${error.code} ${error.message}`;
}
