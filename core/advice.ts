import { codes } from "./codes.ts";
import type { FaultRecord } from "./fault.ts";

/** What to do about a fault: its own hint, else what its code says. */
export function adviceOf({ code, hint }: Pick<FaultRecord, "code" | "hint">): string {
  return hint ?? codes[code].action;
}
