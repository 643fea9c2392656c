import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** A record of firstlight's log, as it stands on the console. */
export interface LogRecord {
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** What a machine has said on its console since it was switched on. */
export interface Console {
  readonly lines: readonly string[];
  /** What firstlight has logged so far. */
  records(): readonly LogRecord[];
  /** Reads on from a new start; what was said before is gone. */
  follow(stream: Readable): void;
  /** The first record that fits, said already or later. Throws when the time is over or the machine is off. */
  record(what: string, fits: (record: LogRecord) => boolean): Promise<LogRecord>;
  /** The first line that fits, in the same way. */
  line(what: string, fits: RegExp): Promise<string>;
}

/** A console whose listeners wait for so long. */
export function openConsole(waitMs: number): Console {
  let lines: string[] = [];
  let isOff = true;
  const watchers = new Set<() => void>();
  const look = () => {
    for (const watcher of watchers) watcher();
  };
  return {
    get lines() {
      return lines;
    },
    follow(stream) {
      const own: string[] = [];
      lines = own;
      isOff = false;
      const reader = createInterface({ input: stream });
      reader.on("line", (line) => {
        own.push(line.replace(/\r+$/, ""));
        look();
      });
      reader.on("close", () => {
        if (lines !== own) return;
        isOff = true;
        look();
      });
    },
    records: () => lines.flatMap((line) => readRecord(line) ?? []),
    record: (what, fits) =>
      find(what, (line) => {
        const record = readRecord(line);
        return record !== undefined && fits(record) ? record : undefined;
      }),
    line: (what, fits) => find(what, (line) => (fits.test(line) ? line : undefined)),
  };

  function find<T>(what: string, read: (line: string) => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      let seen = 0;
      const end = (settle: () => void) => {
        clearTimeout(late);
        watchers.delete(look);
        settle();
      };
      const fail = (why: string) =>
        end(() => reject(new Error(`${what}: ${why}; last:\n${lines.slice(-15).join("\n")}`)));
      const late = setTimeout(() => fail(`was not said within ${waitMs} ms`), waitMs);
      const look = () => {
        for (; seen < lines.length; seen++) {
          const found = read(lines[seen] ?? "");
          if (found !== undefined) return end(() => resolve(found));
        }
        if (isOff) fail("was not said before the machine was off");
      };
      watchers.add(look);
      look();
    });
  }
}

/** `[   12.345678] firstlight[181]: {"ts":…,"msg":"boot.finished",…}` */
function readRecord(line: string): LogRecord | undefined {
  const text = /\bfirstlight\[\d+\]: (\{.*\})/.exec(line)?.[1];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as LogRecord;
  } catch {
    return undefined; // torn, or two writers at once
  }
}
