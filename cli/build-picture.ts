import {
  type BuildActivity,
  type BuildTotals,
  noTotals,
} from "#provisioner/system/build-activity.ts";

/** What is known of one build or fetch. */
export interface PicturedWork {
  readonly what: "build" | "fetch";
  readonly state: "planned" | "waiting" | "running" | "done" | "failed" | "stopped";
  /** The path that waits for it; `null` of the system itself and of fetches. */
  readonly neededBy: string | null;
  /** The machine or cache, the phase, why it waits, or how it failed. */
  readonly from: string | null;
  readonly note: string | null;
  readonly bytes: { readonly done: number; readonly expected: number } | null;
  readonly startedMs: number;
}

/** Builds and fetches as they stand, by path. */
export interface BuildPicture {
  readonly work: ReadonlyMap<string, PicturedWork>;
  readonly totals: BuildTotals;
  readonly startedMs: number;
}

export function newPicture(nowMs: number): BuildPicture {
  return { work: new Map(), totals: noTotals, startedMs: nowMs };
}

/** The picture after something has happened. What has ended well is no longer part of it. */
export function nextPicture(
  picture: BuildPicture,
  activity: BuildActivity,
  nowMs: number,
): BuildPicture {
  switch (activity.kind) {
    case "planned": {
      const planned = activity.builds.map(
        ({ derivation, neededBy }) =>
          [derivation, { ...newWork("build", nowMs), neededBy }] as const,
      );
      return { ...picture, work: new Map([...picture.work, ...planned]) };
    }
    case "started": {
      const { path, from, what } = activity;
      return withWork(picture, path, what, nowMs, { state: "running", from, startedMs: nowMs });
    }
    case "waiting":
      return withWork(picture, activity.path, "build", nowMs, {
        state: "waiting",
        note: activity.why,
      });
    case "phase":
      return withWork(picture, activity.path, "build", nowMs, { note: activity.phase });
    case "bytes": {
      const { done, expected } = activity;
      return withWork(picture, activity.path, "fetch", nowMs, { bytes: { done, expected } });
    }
    case "ended":
      return ended(picture, activity, nowMs);
    case "totals":
      return { ...picture, totals: activity.totals };
  }
}

function ended(
  picture: BuildPicture,
  { path, end, how }: Extract<BuildActivity, { kind: "ended" }>,
  nowMs: number,
): BuildPicture {
  if (end !== "done") return withWork(picture, path, "build", nowMs, { state: end, note: how });
  const work = new Map(picture.work);
  work.delete(path);
  return { ...picture, work };
}

function withWork(
  picture: BuildPicture,
  path: string,
  what: PicturedWork["what"],
  nowMs: number,
  change: Partial<PicturedWork>,
): BuildPicture {
  const before = picture.work.get(path) ?? newWork(what, nowMs);
  const work = new Map(picture.work).set(path, { ...before, ...change });
  return { ...picture, work };
}

function newWork(what: PicturedWork["what"], startedMs: number): PicturedWork {
  return {
    what,
    state: "planned",
    neededBy: null,
    from: null,
    note: null,
    bytes: null,
    startedMs,
  };
}
