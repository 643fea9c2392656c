import { codes } from "./codes.ts";
import type { FaultRecord } from "./fault.ts";

/** A fault with what to do about it, for who reads it as data. */
export function withAdvice(fault: FaultRecord): FaultRecord {
  return { ...fault, hint: adviceOf(fault) };
}

/** What to do about a fault: its own hint, else what its code says. */
export function adviceOf({ code, hint }: Pick<FaultRecord, "code" | "hint">): string {
  return hint ?? codes[code].action;
}
