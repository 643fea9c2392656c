import { isFault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { UnreadFile } from "#generated/provisioner/facts/facts.ts";

// An attribute of sysfs says it is as large as a page, and pages go up to 64 KiB.
const maxAttributeBytes = 65_536;
const maxTextLength = 256;
const maxUnread = 64;

/**
 * The kernel's files as values. Nothing here throws: what is absent, denied or damaged is `null`,
 * and what is there but was not understood whole is noted once in `unread`.
 */
export interface KernelFiles {
  /** What was there and not understood, in the order it was met; at most 64 entries, of which the last says that there are more. */
  readonly unread: readonly UnreadFile[];
  /** Notes that something was not understood. */
  note(path: string, why: UnreadFile["why"]): void;
  exists(path: string): boolean;
  /** The whole file, or `null`; `maxBytes` is 64 KiB unless told. */
  bytes(path: string, maxBytes?: number): Uint8Array | null;
  /** UTF-8 text as it is, or `null`. */
  text(path: string, maxBytes?: number): string | null;
  /** One value: trimmed, printable, at most 256 characters; `null` when empty. */
  value(path: string): string | null;
  /** A decimal number of at least 0 and at most 2^53. */
  number(path: string): number | null;
  /** `1` or `0`. */
  flag(path: string): boolean | null;
  /** `KEY=value` lines, such as `uevent`; keys that come twice keep the last value. */
  pairs(path: string): ReadonlyMap<string, string>;
  /** Names in a directory, sorted; `null` when it is not there. */
  list(path: string, maxEntries: number): readonly string[] | null;
  /** Last part of a link's target. */
  linkName(path: string): string | null;
  realPath(path: string): string | null;
}

/** A {@link KernelFiles} over the files of a machine. */
export function kernelFiles(files: Files): KernelFiles {
  const unread: UnreadFile[] = [];

  function note(path: string, why: UnreadFile["why"]): void {
    const entry = { path: path.slice(0, 512), why };
    if (unread.length >= maxUnread || unread.some((known) => known.path === entry.path)) return;
    // The last place is for the word that there are more.
    unread.push(unread.length === maxUnread - 1 ? { path: "/", why: "too-many" } : entry);
  }

  function attempt<T>(path: string, action: () => T | undefined): T | null {
    try {
      return action() ?? null;
    } catch (error) {
      note(path, reasonOf(error));
      return null;
    }
  }

  const self: KernelFiles = {
    unread,
    note,
    exists: (path) => attempt(path, () => files.stat(path)) !== null,
    bytes: (path, maxBytes = maxAttributeBytes) =>
      attempt(path, () => files.read(path, { maxBytes })),
    text: (path, maxBytes = maxAttributeBytes) =>
      attempt(path, () => files.readText(path, { maxBytes })),
    value(path) {
      const text = self.text(path);
      if (text === null) return null;
      const { value, damage } = printable(text);
      if (damage !== null) note(path, damage);
      return value;
    },
    number(path) {
      const text = self.text(path)?.trim();
      if (text === undefined || text === "") return null;
      const number = Number(text);
      if (/^[0-9]{1,16}$/.test(text) && Number.isSafeInteger(number)) return number;
      note(path, "malformed");
      return null;
    },
    flag(path) {
      const number = self.number(path);
      return number === null ? null : number !== 0;
    },
    pairs(path) {
      const text = self.text(path) ?? "";
      const found = new Map<string, string>();
      for (const line of text.split("\n")) {
        const at = line.indexOf("=");
        if (at > 0) found.set(line.slice(0, at), printable(line.slice(at + 1)).value ?? "");
      }
      return found;
    },
    list(path, maxEntries) {
      // An absent directory lists as empty, so that the two are told apart first.
      if (!self.exists(path)) return null;
      const names = attempt(path, () => files.list(path));
      if (names === null || names.length <= maxEntries) return names;
      note(path, "too-many");
      return names.slice(0, maxEntries);
    },
    linkName(path) {
      const name = attempt(path, () => files.readLink(path))
        ?.split("/")
        .at(-1);
      return name === undefined || name === "" ? null : printable(name).value;
    },
    realPath: (path) => attempt(path, () => files.realPath(path)),
  };
  return self;
}

/**
 * Text made fit to be shown, matched and reported: without control, format or undecodable
 * characters, trimmed, at most 256 characters. `damage` says what it lost.
 */
export function printable(text: string): {
  readonly value: string | null;
  readonly damage: "malformed" | "too-large" | null;
} {
  const trimmed = text.trim();
  const clean = trimmed.replaceAll(/[\p{C}\ufffd]/gu, "").trim();
  const damage =
    clean.length > maxTextLength ? "too-large" : clean === trimmed ? null : "malformed";
  const value = clean.slice(0, maxTextLength).toWellFormed().trim();
  return { value: value === "" ? null : value, damage };
}

function reasonOf(error: unknown): UnreadFile["why"] {
  if (isFault(error, "io/too-large")) return "too-large";
  const cause =
    error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  return cause?.code === "EACCES" || cause?.code === "EPERM" ? "denied" : "failed";
}
