import type { Clock } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import { pace } from "./pace.ts";

/** So many lines of what others can cause, and one more every ten seconds. */
const limit = { burst: 20, everyMs: 10_000 };

/** A log that nobody outside can fill: lines beyond the limit are counted, and the count is told. */
export function pacedLog(log: Log, clock: Pick<Clock, "monotonicMs">): Log {
  const allowed = pace(limit, clock);
  let leftOut = 0;
  const paced =
    (level: "debug" | "info" | "warning" | "error"): Log["info"] =>
    (event, fields = {}) => {
      if (!allowed()) {
        leftOut += 1;
        return;
      }
      log[level](event, leftOut === 0 ? fields : { ...fields, leftOut });
      leftOut = 0;
    };
  return {
    debug: paced("debug"),
    info: paced("info"),
    warning: paced("warning"),
    error: paced("error"),
  };
}
