import type { EndedTrial } from "../ended-trials.ts";
import { chosenByPerson } from "../history.ts";
import { needsReboot } from "../plan.ts";
import type { Work } from "../work.ts";
import { changedAt } from "./intent.ts";
import type { Declared, DriftItem } from "./report.ts";

/** What runs and what would be booted, against what was committed; no process. */
export function runningItems(
  work: Work,
  declared: Declared,
  trials: readonly EndedTrial[],
): readonly DriftItem[] {
  const { machine } = work;
  const running = machine.running();
  const chosen = running === declared.toplevel ? null : chosenByPerson(work, trials);
  return [
    ...(running === declared.toplevel ? [] : [otherRuns(work, { declared, running, chosen })]),
    ...otherDefault(work, declared, chosen),
    ...rebootPending(work, declared),
  ];
}

interface Other {
  readonly declared: Declared;
  readonly running: string | null;
  /** What a person did, in words. */
  readonly chosen: string | null;
}

/** A system that a person chose, in the boot menu or by hand, is told and left alone. */
function otherRuns({ machine, io, paths }: Work, { declared, running, chosen }: Other): DriftItem {
  const head = { layer: "running", declared: declared.toplevel } as const;
  const since = changedAt(io.files, paths.currentSystem);
  if (running === null) {
    return {
      ...head,
      kind: "nothing-runs",
      subject: paths.currentSystem,
      actual: "no system",
      since: null,
      by: null,
      level: "error",
      remedy: "reboot",
    };
  }
  const atBoot = machine.booted() === running && machine.profile().toplevel !== running;
  return {
    ...head,
    kind: atBoot ? "chosen-at-boot" : "switched-by-hand",
    subject: paths.currentSystem,
    actual: running,
    since,
    by: chosen,
    level: "note",
    remedy: "person",
  };
}

function otherDefault(
  { machine, paths, storeFiles }: Work,
  { toplevel }: Declared,
  chosen: string | null,
): readonly DriftItem[] {
  const profile = machine.profile();
  if (profile.toplevel === toplevel) return [];
  const generation = profile.generation === null ? "" : ` (generation ${profile.generation})`;
  return [
    {
      layer: "running",
      kind: "other-default",
      subject: paths.profile,
      declared: toplevel,
      actual: profile.toplevel === null ? "none" : `${profile.toplevel}${generation}`,
      since: changedAt(storeFiles, paths.profile),
      by: chosen,
      // Nobody runs it, so nobody is known to want it.
      level: chosen === null || profile.toplevel === null ? "warning" : "note",
      remedy: "person",
    },
  ];
}

function rebootPending(work: Work, { toplevel, at, by }: Declared): readonly DriftItem[] {
  if (work.machine.running() !== toplevel) return [];
  const { needed, why } = needsReboot(work, toplevel);
  if (!needed) return [];
  return [
    {
      layer: "running",
      kind: "reboot-pending",
      subject: work.paths.bootedSystem,
      declared: toplevel,
      actual: `${work.machine.booted()}: ${why.join("; ")}`,
      since: at,
      by,
      level: "note",
      remedy: "reboot",
    },
  ];
}
