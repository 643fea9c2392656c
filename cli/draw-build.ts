import { formatBytes } from "#core/bytes.ts";
import type { WorkCount } from "#provisioner/system/build-activity.ts";
import type { BuildPicture, PicturedWork } from "./build-picture.ts";
import { type Strokes, strokesFor } from "./drawing.ts";

/** How a picture is drawn. */
export interface DrawOptions {
  readonly nowMs: number;
  /** Lines at most, two at least. */
  readonly rows: number;
  readonly isUnicode: boolean;
}

/** Lines for a terminal: what is built as a tree below the system, what is fetched, and the sums. */
export function drawBuild(picture: BuildPicture, options: DrawOptions): readonly string[] {
  if (picture.work.size === 0 && isNothing(picture)) return [];
  const signs = options.isUnicode ? unicodeSigns : asciiSigns;
  const tree = drawTree(picture, signs, options.nowMs);
  const fetches = [...picture.work]
    .filter(([, { what, state }]) => what === "fetch" && state === "running")
    .map(([path, work]) => `${signs.fetch} ${workText(path, work, options.nowMs)}`);
  const lines = [...tree, ...fetches];
  const room = Math.max(1, options.rows - 1);
  const shown =
    lines.length <= room
      ? lines
      : [...lines.slice(0, room - 1), `${signs.more} and ${lines.length - room + 1} more`];
  return [...shown, sumText(picture, options.nowMs)];
}

interface Signs extends Pick<Strokes, "branch" | "last" | "through" | "more"> {
  readonly running: string;
  readonly failed: string;
  readonly waiting: string;
  readonly fetch: string;
}

const unicodeSigns: Signs = {
  ...strokesFor({ isUnicode: true }),
  running: "▶ ",
  failed: "✗ ",
  waiting: "… ",
  fetch: "↓",
};

const asciiSigns: Signs = {
  ...strokesFor({ isUnicode: false }),
  running: "> ",
  failed: "! ",
  waiting: ". ",
  fetch: "v",
};

/** What moves or has failed, each below what waits for it. */
function drawTree({ work }: BuildPicture, signs: Signs, nowMs: number): readonly string[] {
  const below = branches(work, movingAndWaiting(work));
  const lines: string[] = [];
  const draw = (path: string, before: string, indent: string) => {
    const each = work.get(path);
    if (each === undefined) return;
    lines.push(`${before}${signOf(each, signs)}${workText(path, each, nowMs)}`);
    const children = below.get(path) ?? [];
    for (const child of children) {
      const isLast = child === children.at(-1);
      const next = indent + (isLast ? "   " : signs.through);
      draw(child, indent + (isLast ? signs.last : signs.branch), next);
    }
  };
  for (const root of below.get(null) ?? []) draw(root, "", "");
  return lines;
}

/** Builds that move or have failed, and all that wait for them. */
function movingAndWaiting(work: BuildPicture["work"]): ReadonlySet<string> {
  const shown = new Set<string>();
  for (const [path, { what, state }] of work) {
    if (what !== "build" || state === "planned" || state === "stopped") continue;
    let at: string | null = path;
    while (at !== null && work.has(at) && !shown.has(at)) {
      shown.add(at);
      at = work.get(at)?.neededBy ?? null;
    }
  }
  return shown;
}

/** What hangs on each, of those that are shown; `null`: what hangs on nothing. */
function branches(
  work: BuildPicture["work"],
  shown: ReadonlySet<string>,
): ReadonlyMap<string | null, readonly string[]> {
  const below = new Map<string | null, string[]>();
  for (const [path, { neededBy }] of work) {
    if (!shown.has(path)) continue;
    const place = neededBy !== null && shown.has(neededBy) ? neededBy : null;
    below.set(place, [...(below.get(place) ?? []), path]);
  }
  return below;
}

function signOf({ state }: PicturedWork, signs: Signs): string {
  if (state === "running") return signs.running;
  if (state === "failed") return signs.failed;
  return state === "waiting" ? signs.waiting : "";
}

function workText(path: string, work: PicturedWork, nowMs: number): string {
  const { state, from, note, bytes } = work;
  const parts = [
    nameOf(path),
    from === null ? "" : from.replace(/^[a-z+-]+:\/\//, ""),
    note ?? "",
    bytes === null ? "" : `${formatBytes(bytes.done)} of ${formatBytes(bytes.expected)}`,
    state === "running" ? `${seconds(nowMs - work.startedMs)} s` : "",
  ];
  return parts.filter((part) => part !== "").join("  ");
}

/** A store path for a person: without directory, hash and `.drv`. */
export function nameOf(path: string): string {
  return path.replace(/^.*\/(?:[0-9a-z]{32}-)?/, "").replace(/\.drv$/, "");
}

function sumText({ totals, startedMs }: BuildPicture, nowMs: number): string {
  const { builds, fetches, downloadBytes } = totals;
  const { done, expected } = downloadBytes;
  const bytes = expected === 0 ? [] : [`${formatBytes(done)} of ${formatBytes(expected)}`];
  return [
    ...countTexts("built", builds),
    ...countTexts("fetched", fetches),
    ...bytes,
    `${seconds(nowMs - startedMs)} s`,
  ].join(", ");
}

function countTexts(word: string, { done, expected, running, failed }: WorkCount): string[] {
  if (expected === 0 && done === 0 && failed === 0) return [];
  return [
    `${word} ${done} of ${Math.max(expected, done)}`,
    ...(running === 0 ? [] : [`${running} running`]),
    ...(failed === 0 ? [] : [`${failed} failed`]),
  ];
}

function isNothing({ totals }: BuildPicture): boolean {
  return totals.builds.expected === 0 && totals.fetches.expected === 0;
}

function seconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
}
