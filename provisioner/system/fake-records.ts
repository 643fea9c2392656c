import type { Attempt, Step, StepRecord } from "./journal-record.ts";
import type { ChangeReason, Trial, Verdict } from "./system.ts";

export const reason: ChangeReason = { by: "boot", why: "a test", instanceId: null };
export const verdict: Verdict = { healthy: true, reasons: [], passes: 3, ms: 1 };
export const failure = { code: "system/nix-failed", message: "no" } as const;

/** A trial of the system that is named after its transaction. */
export function attempt(txn: string): Attempt {
  const closure = {
    transaction: txn,
    toplevel: `/nix/store/${txn}`,
    derivation: null,
    sourcesDigest: `sources of ${txn}`,
    credentials: [],
    reason,
  };
  const previous = { toplevel: "/nix/store/old", generation: 1, sourcesDigest: null };
  const kept = { once: null, wayBackMs: 1, judging: null };
  return { closure, planDigest: "p", previous, profile: previous, ...kept };
}

function trial(txn: string): Trial {
  return {
    transaction: txn,
    toplevel: `/nix/store/${txn}`,
    previous: "/nix/store/old",
    sourcesDigest: `sources of ${txn}`,
    bootId: "b",
    planDigest: "p",
    activation: "switched",
    exitCode: 0,
    message: null,
  };
}

/** Data that each step writes, for the transaction. */
export function dataOf(txn: string): Readonly<Record<Step, { intent: unknown; result: unknown }>> {
  const activation = { end: "switched", exitCode: 0, message: null, touched: true };
  return {
    build: { intent: { sourcesDigest: "d", reason }, result: attempt(txn).closure },
    try: { intent: attempt(txn), result: trial(txn) },
    arm: { intent: { afterMs: 1 }, result: null },
    activate: { intent: { toplevel: "t" }, result: activation },
    disarm: { intent: null, result: null },
    prepare: { intent: attempt(txn), result: trial(txn) },
    "trial-profile": { intent: { toplevel: "t" }, result: null },
    "trial-entry": { intent: { toplevel: "t" }, result: null },
    "boot-once": { intent: { loader: "grub", toplevel: "t" }, result: { entry: "e" } },
    restart: { intent: { how: "reboot" }, result: null },
    resume: { intent: { toplevel: "t" }, result: trial(txn) },
    "drop-trial": { intent: { loader: "grub" }, result: { left: [] } },
    commit: { intent: { verdict }, result: { generation: 2, incomplete: null } },
    "set-profile": { intent: { toplevel: "t" }, result: null },
    "boot-entry": { intent: { toplevel: "t" }, result: null },
    publish: { intent: { sourcesDigest: "d" }, result: { kept: [] } },
    "roll-back": {
      intent: { verdict, reasons: [], blamed: true },
      result: { toplevel: "o", reasons: ["why"] },
    },
    "re-activate": { intent: { toplevel: "o" }, result: activation },
    "reset-profile": { intent: { generation: 1, from: 2 }, result: null },
    repair: { intent: { subjects: ["p"] }, result: { repaired: [], unrepaired: [] } },
    abandon: { intent: { why: "a test" }, result: null },
    conclude: { intent: { conclusive: false, reasons: [] }, result: null },
    prove: { intent: { toplevel: "t" }, result: { healthy: true, reasons: [] } },
    install: { intent: { plan: "p", id: "i" }, result: null },
  };
}

/** A step, what is said of it, and by which transaction. */
export type Entry = readonly [step: Step, kind: "intent" | "ok" | "failed", txn?: string];

/** Records as a journal has them, but for their sums. */
export function records(entries: readonly Entry[]): readonly StepRecord[] {
  return entries.map(([step, kind, txn = "t1"], index) => {
    const { intent, result } = dataOf(txn)[step];
    const data =
      kind === "intent"
        ? intent
        : kind === "ok"
          ? { ok: true, value: result }
          : { ok: false, failure };
    const head = { v: 2, seq: index + 1, prev: "", bootId: "b", txn, at: `at ${index}`, sum: "" };
    return { ...head, kind: kind === "intent" ? "intent" : "result", step, data } as StepRecord;
  });
}
