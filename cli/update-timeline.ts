import type { LedgerRecord } from "#agent/update/ledger.ts";
import { printable } from "#core/printable.ts";
import { cutToWidth } from "#core/text-width.ts";
import { drawnColumns, lineOf, type Page, padToWidth, strokesFor } from "./drawing.ts";

/** One state of an update, and how long it was in it. */
export interface Stay {
  readonly state: string;
  readonly since: string;
  /** `null` of the state that it is in now. */
  readonly ms: number | null;
  readonly bootId: string;
  readonly reason: string | null;
  readonly code: string | null;
}

/** An update from its first state to its last one. */
export interface Timeline {
  readonly updateId: string;
  readonly release: string;
  readonly number: number;
  readonly attempts: number;
  readonly stays: readonly Stay[];
}

/** The updates of a ledger, oldest first. */
export function timelines(records: readonly LedgerRecord[]): readonly Timeline[] {
  const groups: LedgerRecord[][] = [];
  for (const record of records) {
    if (record.event === "received" || groups.length === 0) groups.push([]);
    groups.at(-1)?.push(record);
  }
  return groups.flatMap((group) => {
    const last = group.at(-1)?.update;
    if (last === undefined || last.updateId === null || last.release === null) return [];
    const { updateId, release, attempt: attempts } = last;
    const { name, number } = release;
    return [{ updateId, release: name, number, attempts, stays: group.map(stayOf) }];
  });
}

/** Of one boot by the clock that nobody sets, else by the time of day, which may have been set meanwhile. */
function stayOf(record: LedgerRecord, index: number, all: readonly LedgerRecord[]): Stay {
  const { at, bootId, update } = record;
  const after = all[index + 1];
  const ms =
    after === undefined
      ? null
      : after.bootId === bootId
        ? after.upMs - record.upMs
        : Math.max(0, Date.parse(after.at) - Date.parse(at));
  const { state, reason, code } = update;
  return { state, since: at, ms, bootId, reason, code };
}

const nameColumns = 20;
const timeColumns = 11;

/** A timeline as a picture: each state a bar as long as its share of the whole; a new boot has a line of its own. */
export function drawTimeline(timeline: Timeline, page: Page): string {
  const { updateId, release, number, attempts, stays } = timeline;
  const columns = drawnColumns(page);
  const width = columns - nameColumns - timeColumns - 4;
  const whole = stays.reduce((sum, { ms }) => sum + (ms ?? 0), 0);
  const { more, across } = strokesFor(page);
  const bar = page.isUnicode ? "█" : "#";
  const tries = attempts > 1 ? `, ${attempts} attempts` : "";
  const title = `${updateId}: release ${release} (${number})${tries}`;
  const cut = (line: string) => cutToWidth(line, columns, more);
  let before = 0;
  let boot = stays[0]?.bootId;
  const lines = stays.flatMap(({ state, since, ms, bootId, reason, code }) => {
    const from = whole === 0 ? 0 : Math.floor((before / whole) * width);
    const long = whole === 0 || ms === null ? 0 : Math.max(1, Math.round((ms / whole) * width));
    before += ms ?? 0;
    const drawn = `${" ".repeat(Math.min(from, width - 1))}${bar.repeat(Math.min(long, width - Math.min(from, width - 1)))}`;
    const took = ms === null ? since.slice(11, 19) : inWords(ms);
    const line =
      `  ${padToWidth(state, nameColumns)}${took.padStart(timeColumns)}  ${drawn}`.trimEnd();
    const isOther = bootId !== boot;
    boot = bootId;
    const said = [reason, code === null ? null : `[${code}]`].filter((each) => each !== null);
    return [
      ...(isOther ? [cut(`  ${across.repeat(3)} boot ${lineOf(bootId, page)}`)] : []),
      cut(line),
      ...(said.length === 0 ? [] : [cut(`      ${lineOf(said.join(" "), page)}`)]),
    ];
  });
  const first = stays[0]?.since ?? "";
  return [
    cut(printable(lineOf(`${first} ${title}`, page))),
    ...lines,
    `  ${padToWidth("in all", nameColumns)}${inWords(whole).padStart(timeColumns)}`,
  ].join("\n");
}

function inWords(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  const minutes = seconds / 60;
  if (minutes < 120) return `${minutes.toFixed(1)} min`;
  const hours = minutes / 60;
  return hours < 72 ? `${hours.toFixed(1)} h` : `${(hours / 24).toFixed(1)} d`;
}
