import type { BuildActivity } from "#provisioner/system/build-activity.ts";
import { newPicture, nextPicture, type PicturedWork } from "./build-picture.ts";
import type { Invocation } from "./command.ts";
import { nameOf } from "./draw-build.ts";

/** How what goes on in a build is told. */
export interface BuildView {
  saw(activity: BuildActivity): void;
  /** The build has ended, one way or the other. */
  end(): void;
}

/** One line an event: what has ended at info or error, what only moves at debug. */
export function tellLines({ io, log }: Pick<Invocation, "io" | "log">): BuildView {
  let picture = newPicture(0);

  function ended(
    { path, end, how }: Extract<BuildActivity, { kind: "ended" }>,
    work: PicturedWork | undefined,
    nowMs: number,
  ): void {
    const ms = work === undefined ? null : Math.round(nowMs - work.startedMs);
    const event = `${work?.what ?? "build"}.${endWords[end]}`;
    const level = end === "failed" ? "error" : "info";
    log[level](event, { name: nameOf(path), ms, how });
  }

  return {
    saw(activity) {
      const nowMs = io.clock.monotonicMs();
      const before = picture;
      picture = nextPicture(before, activity, nowMs);
      switch (activity.kind) {
        case "planned":
          return log.debug("build.planned", { builds: activity.builds.length });
        case "started": {
          const { what, path, from } = activity;
          return log.debug(`${what}.started`, { name: nameOf(path), from });
        }
        case "waiting":
          return log.debug("build.waits", { name: nameOf(activity.path), why: activity.why });
        case "phase":
          return log.debug("build.phase", { name: nameOf(activity.path), phase: activity.phase });
        case "ended":
          return ended(activity, before.work.get(activity.path), nowMs);
        case "totals": {
          const { builds, fetches, downloadBytes } = activity.totals;
          return log.debug("build.totals", {
            built: builds.done,
            builds: builds.expected,
            fetched: fetches.done,
            fetches: fetches.expected,
            bytes: downloadBytes.done,
          });
        }
        case "bytes":
          return; // of one fetch: its end says enough
      }
    },
    end() {
      picture = newPicture(0);
    },
  };
}

const endWords = { done: "finished", failed: "failed", stopped: "stopped" } as const;
