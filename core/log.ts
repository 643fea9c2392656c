import { type Clock, timestamp } from "./io.ts";

/** Fields of a log event: plain values with units in their names; never a secret. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export type LogLevel = "debug" | "info" | "warning" | "error";

/** One structured line an event; `event` is a stable name such as `boot.discover.finished`. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warning(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** Where log lines go: given the finished record, ordered for reading. */
export type LogSink = (record: LogRecord) => void;

export interface LogRecord {
  readonly at: string;
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: LogFields;
}

/** A log that stamps records with `clock` and hands them to `sink`. */
export function createLog(clock: Clock, sink: LogSink): Log {
  const at =
    (level: LogLevel) =>
    (event: string, fields: LogFields = {}) =>
      sink({ at: timestamp(clock), level, event, fields });
  return { debug: at("debug"), info: at("info"), warning: at("warning"), error: at("error") };
}

/** A log that drops everything, for callers that need none. */
export const silentLog: Log = createLog(
  { now: () => 0, monotonicMs: () => 0, sleep: async () => {} },
  () => {},
);
