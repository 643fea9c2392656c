import { fakeClock } from "#core/fake-io.ts";
import type { BuildActivity } from "./build-activity.ts";
import { followNix } from "./follow-nix.ts";
import type { SystemEvent } from "./system.ts";

/** Follows lines of Nix, a second for each; what was told of them. */
export function followLines(lines: readonly string[], signal = new AbortController().signal) {
  const events: SystemEvent[] = [];
  const clock = fakeClock();
  let errors = 0;
  const follower = followNix({
    emit: (event) => events.push(event),
    signal,
    clock,
    plan: (derivations) => derivations.map((derivation) => ({ derivation, neededBy: null })),
    onError: () => {
      errors += 1;
    },
  });
  for (const line of lines) {
    follower.line(line);
    clock.advance(1000);
  }
  const activities = events.flatMap((event) => (event.type === "build" ? [event.activity] : []));
  const log = events.flatMap((event) => (event.type === "build-log" ? [event] : []));
  return { ...follower, events, activities, log, errors };
}

/** The name in a store path. */
export function nameOf(file: string): string {
  return file.replace(/^.*\/[0-9a-z]{32}-/, "").replace(/\.drv$/, "");
}

/** An activity as a few words, with names for paths. */
export function toldActivity(activity: BuildActivity): string {
  switch (activity.kind) {
    case "planned":
      return `planned ${activity.builds.map(({ derivation }) => nameOf(derivation)).join(" ")}`;
    case "started":
      return [activity.what, nameOf(activity.path), activity.from ?? ""].join(" ").trimEnd();
    case "waiting":
      return `${nameOf(activity.path)} waits`;
    case "phase":
      return `${nameOf(activity.path)}: ${activity.phase}`;
    case "bytes":
      return `${nameOf(activity.path)} ${activity.done}/${activity.expected}`;
    case "ended":
      return `${nameOf(activity.path)} ${activity.end} ${activity.how ?? ""}`.trimEnd();
    case "totals": {
      const { builds, fetches, downloadBytes } = activity.totals;
      const of = ({ done, expected }: { done: number; expected: number }) => `${done}/${expected}`;
      return `= ${of(builds)} ${of(fetches)} ${of(downloadBytes)}`;
    }
  }
}
