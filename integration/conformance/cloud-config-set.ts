import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Json } from "#core/canonical-json.ts";

const data = path.resolve(import.meta.dirname, "../../../shared/data");

/** A document of cloud-init's own set, and what its YAML reader makes of it. */
export interface RecordedDocument {
  readonly id: string;
  readonly text: string;
  readonly parses: boolean;
  readonly pyyaml: Json;
}

/** A config with the verdict of cloud-init's validator. */
export interface RecordedVerdict {
  readonly config: { readonly [key: string]: Json };
  readonly verdict: "ok" | "deprecated" | "invalid";
  readonly error: string | null;
}

/** Why a set cannot be read, or `false`; fits tap's `skip`. */
export function absent(...files: readonly string[]): string | false {
  const missing = files.find((file) => !existsSync(path.join(data, file)));
  return missing === undefined ? false : `${path.join(data, missing)} is not there`;
}

/** Values of a file with one JSON value a line. */
export function readLines<T>(file: string): readonly T[] {
  const lines = readFileSync(path.join(data, file), "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** Names and contents of cloud-init's own cases of merging. */
export function mergeFiles(): ReadonlyMap<string, string> {
  const directory = path.join(data, "cloud-config/merge");
  const names = readdirSync(directory).sort();
  return new Map(names.map((name) => [name, readFileSync(path.join(directory, name), "utf8")]));
}

/** Names and contents of the network configs. */
export function networkConfigs(): readonly (readonly [name: string, text: string])[] {
  return readdirSync(path.join(data, "network"))
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => [name, readFileSync(path.join(data, "network", name), "utf8")]);
}

/** Where the files lie that cloud-init makes of a network config, if it can. */
export function networkdFolder(name: string): string {
  return path.join(data, "network", `${name}.networkd`);
}

/** Values without values in them; an empty document has none. */
export function countLeaves(value: Json | undefined, isRoot = true): number {
  if (typeof value !== "object" || value === null) return isRoot && value == null ? 0 : 1;
  const inner: readonly Json[] = Object.values(value);
  if (inner.length === 0) return isRoot ? 0 : 1;
  return inner.reduce<number>((sum, child) => sum + countLeaves(child, false), 0);
}
