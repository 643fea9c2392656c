import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";

/** Part of every canary: letters that are allowed in a password hash, and nowhere else by chance. */
export const canaryMark = "Kanar7enV0gel";

/** A secret that is known by its text. */
export function canary(name: string): string {
  return `${canaryMark}.${name}.`;
}

/** Canaries that stand in these bytes: as they are, or in base64 or hexadecimal, also of what was compressed. */
export function canariesIn(bytes: Uint8Array | string): readonly string[] {
  const buffer = Buffer.from(bytes);
  const found = new Set<string>();
  const text = buffer.toString("latin1");
  for (const [, name] of text.matchAll(named)) found.add(name ?? "");
  if (encoded.some((form) => text.includes(form)) && found.size === 0) found.add("encoded");
  if (buffer[0] === 0x1f && buffer[1] === 0x8b) {
    for (const name of canariesIn(gunzipSync(buffer))) found.add(name);
  }
  return [...found].sort();
}

const named = new RegExp(`${canaryMark}\\.([a-z0-9-]+)\\.`, "g");

/** The mark in base64, by its place in a group of three bytes, and in hexadecimal. */
const encoded = [
  ...[0, 1, 2].map((shift) => {
    const text = Buffer.from(" ".repeat(shift) + canaryMark).toString("base64");
    return text.slice(shift === 0 ? 0 : 4, -4);
  }),
  Buffer.from(canaryMark).toString("hex"),
];

/** A file with a canary. */
export interface Hit {
  /** Below the directory that was searched. */
  readonly file: string;
  readonly canaries: readonly string[];
  /** Permission bits, octal, of the file and of its directory. */
  readonly modes: readonly [string, string];
}

/** Every file below a directory that holds a canary in its bytes, its name or its target, sorted. */
export function findCanaries(directory: string): readonly Hit[] {
  const hits: Hit[] = [];
  const visit = (below: string): void => {
    for (const name of readdirSync(path.join(directory, below)).sort()) {
      const file = path.join(below, name);
      const host = path.join(directory, file);
      const stat = lstatSync(host);
      const content = stat.isFile()
        ? readFileSync(host)
        : stat.isSymbolicLink()
          ? readlinkSync(host)
          : "";
      const canaries = [...new Set([...canariesIn(content), ...canariesIn(name)])];
      const mode = (of: string) => (lstatSync(of).mode & 0o7777).toString(8).padStart(4, "0");
      if (canaries.length > 0) {
        hits.push({ file, canaries, modes: [mode(host), mode(path.dirname(host))] });
      }
      if (stat.isDirectory()) visit(file);
    }
  };
  visit("");
  return hits;
}

/** Text compressed as `gz+b64` of write_files wants it. */
export function gzipBase64(text: string): string {
  return gzipSync(text).toString("base64");
}
