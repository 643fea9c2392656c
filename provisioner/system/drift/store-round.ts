import { timestamp } from "#core/io.ts";
import type { StoreInfo } from "../fetch/store-info.ts";
import type { Work } from "../work.ts";
import type { Declared, DriftItem, StoreRound } from "./report.ts";

/** How much of the store is read: one part of so many of its bytes, or only what is known damaged. */
export type StoreShare = number | "known";

/** What is kept between two checks, so that the whole store is read in the end. */
export interface RoundState {
  readonly v: 1;
  /** The first path that is to be read next; `null` at the beginning of a round. */
  readonly next: string | null;
  readonly startedAt: string;
  readonly paths: number;
  readonly bytes: number;
  readonly lastFullAt: string | null;
  /** Damaged paths, and when each was found. */
  readonly damaged: Readonly<Record<string, string>>;
}

/** What reading a part of the store came to. */
export interface StoreReading {
  readonly items: readonly DriftItem[];
  readonly round: StoreRound;
}

/** Where {@link RoundState} is kept. */
export const roundFile = "/var/lib/firstlight/drift/store.json";

/**
 * Reads the next part of everything that this machine's systems need, and what was found damaged
 * before; a part is as many paths, in their order, as make up its share of all bytes.
 */
export async function readStoreShare(
  work: Work,
  declared: Declared,
  share: StoreShare,
): Promise<StoreReading> {
  const { commands, io } = work;
  const now = timestamp(io.clock);
  const state = readRound(work) ?? freshRound(now, null);
  const wanted = await systemPaths(work, declared);
  const part = nextPart(wanted, state, share);
  const known = wanted.filter(({ path }) => Object.hasOwn(state.damaged, path));
  const read = [...new Map([...part, ...known].map((info) => [info.path, info])).values()];
  const corrupt = await commands.store.corruptPaths(read.map(({ path }) => path));
  const damaged = Object.fromEntries(corrupt.map((path) => [path, state.damaged[path] ?? now]));
  const after = advance({ ...state, damaged }, { part, wanted, now });
  io.files.write(roundFile, `${JSON.stringify(after)}\n`, { mode: 0o600 });
  const { paths, bytes, startedAt, lastFullAt } = after;
  return {
    items: corrupt.map((path) => damagedItem(work, path, damaged[path] ?? now)),
    round: {
      paths,
      bytes,
      ofPaths: wanted.length,
      ofBytes: sumBytes(wanted),
      startedAt,
      lastFullAt,
    },
  };
}

/** Every path that the committed, the running and the booted system and the boot default need. */
async function systemPaths(
  { machine, commands }: Work,
  { toplevel }: Declared,
): Promise<readonly StoreInfo[]> {
  const all = [toplevel, machine.running(), machine.booted(), machine.profile().toplevel];
  const there = new Set(
    all.filter((path): path is string => path !== null && machine.inStore(path)),
  );
  const paths = await commands.store.closures([...there]);
  const infos = await commands.store.storeInfo(paths);
  return [...infos].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function nextPart(
  wanted: readonly StoreInfo[],
  { next }: RoundState,
  share: StoreShare,
): readonly StoreInfo[] {
  if (share === "known") return [];
  if (share <= 1) return wanted;
  const budget = sumBytes(wanted) / share;
  const rest = next === null ? wanted : wanted.filter(({ path }) => path >= next);
  let bytes = 0;
  const end = rest.findIndex((info) => {
    bytes += info.narSize;
    return bytes >= budget;
  });
  return end === -1 ? rest : rest.slice(0, end + 1);
}

interface Advance {
  readonly part: readonly StoreInfo[];
  readonly wanted: readonly StoreInfo[];
  readonly now: string;
}

/** The state after a part was read; at the end of the paths the next round begins. */
function advance(state: RoundState, { part, wanted, now }: Advance): RoundState {
  const last = part.at(-1);
  if (last === undefined) return state;
  const next = wanted.find(({ path }) => path > last.path)?.path ?? null;
  const begins = state.next === null;
  const read: RoundState = {
    ...state,
    next,
    startedAt: begins ? now : state.startedAt,
    paths: (begins ? 0 : state.paths) + part.length,
    bytes: (begins ? 0 : state.bytes) + sumBytes(part),
  };
  return next === null ? { ...read, lastFullAt: now } : read;
}

function damagedItem({ machine }: Work, path: string, foundAt: string): DriftItem {
  const there = machine.inStore(path);
  return {
    layer: "store",
    kind: there ? "path-corrupt" : "path-missing",
    subject: path,
    declared: "the content that Nix has put there",
    actual: there ? "another content" : "not there",
    since: foundAt,
    by: null,
    level: "error",
    remedy: "repair",
  };
}

function sumBytes(infos: readonly StoreInfo[]): number {
  return infos.reduce((sum, { narSize }) => sum + narSize, 0);
}

function freshRound(now: string, lastFullAt: string | null): RoundState {
  return { v: 1, next: null, startedAt: now, paths: 0, bytes: 0, lastFullAt, damaged: {} };
}

/** A state that cannot be read begins a new round: it is only a place to go on from. */
function readRound({ io }: Work): RoundState | undefined {
  try {
    const value = JSON.parse(io.files.readText(roundFile) ?? "null") as Partial<RoundState> | null;
    const fits =
      value?.v === 1 &&
      (value.next === null || typeof value.next === "string") &&
      Number.isSafeInteger(value.paths) &&
      Number.isSafeInteger(value.bytes) &&
      typeof value.startedAt === "string" &&
      typeof value.damaged === "object" &&
      value.damaged !== null;
    return fits ? (value as RoundState) : undefined;
  } catch {
    return undefined;
  }
}
