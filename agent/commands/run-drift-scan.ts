import { Fault } from "#core/fault.ts";
import type { DriftItem } from "#provisioner/system/drift/report.ts";
import type { Executor } from "./executor.ts";

/** So much of what was found goes with the answer; the event `drift.found` has more. */
const mostFound = 20;
const mostCharacters = 256;

/** Looks and mends nothing, so that it may be done again. */
export const runDriftScan: Executor = {
  isQuick: false,
  knows: ["deep"],
  async prepare({ arguments: { deep = false } }) {
    if (typeof deep !== "boolean")
      throw new Fault("command/argument-invalid", "deep: expected true or false");
    return { deep };
  },
  async carryOut({ note }, { lookForDrift }) {
    const { items } = await lookForDrift(note["deep"] === true);
    const count = (wanted: DriftItem["level"]) =>
      items.filter(({ level }) => level === wanted).length;
    return {
      drift: { error: count("error"), warning: count("warning"), note: count("note") },
      found: items
        .slice(0, mostFound)
        .map(({ level, kind, subject }) => `${level} ${kind} ${subject}`.slice(0, mostCharacters)),
    };
  },
};
