import type { Json } from "#core/canonical-json.ts";
import { type Finding, hasErrors } from "#core/finding.ts";
import { buildValue, type YamlRemark } from "./yaml-build.ts";
import { parseNodes } from "./yaml-parser.ts";
import { lineTable, prepareText, refuseCharacters, YamlProblem } from "./yaml-text.ts";
import type { BuiltValue, Item } from "./yaml-values.ts";

/** How to read a document. */
export interface YamlOptions {
  /** Name for findings: `user-data`, `network-config`, a file name. */
  readonly document: string;
  /** Bytes of UTF-8 (default 8 MiB); what aliases stand for, written out, is bound by it as well. */
  readonly maxBytes?: number;
  /** Collections inside one another (default 100). */
  readonly maxDepth?: number;
  /** Scalars and collections, with those behind aliases and merge keys counted each time (default 200,000). */
  readonly maxNodes?: number;
}

/** A place in a document, line and column in characters, both from 1. */
export interface YamlPosition {
  readonly line: number;
  readonly column: number;
}

/** What of a value is looked for: its key, the value itself, or a character of its text, from 0. */
export type YamlTarget = "key" | "value" | number;

/** What a document says, what is the matter with it, and where its parts stand. */
export interface YamlDocument {
  /** `undefined` exactly when a finding is an error; an empty document is `null`. */
  readonly value: Json | undefined;
  readonly findings: readonly Finding[];
  /**
   * Where the value at `path`, or its key, stands. Of an alias: where it is used, and below it
   * where its parts are written; of a merged key: where it is written. Entries of a list have no
   * key, their value's place is given. A number asks for a character of a text: where it stands if
   * the text has several lines, else where the text begins. `undefined` where the document has no such value.
   */
  locate(path: readonly (string | number)[], target?: YamlTarget): YamlPosition | undefined;
  /** The bytes of the value at `path` when it is tagged `!!binary`. */
  binary(path: readonly (string | number)[]): Uint8Array | undefined;
  /**
   * What Python's `str` makes of the value at `path` when it is a float: `1.0`, `1e-07`, `inf`. JSON
   * tells 1.0 from 1 no more.
   */
  floatText(path: readonly (string | number)[]): string | undefined;
}

const maxFindings = 200;
const defaults = { maxBytes: 8 * 1024 * 1024, maxDepth: 100, maxNodes: 200_000 };

/**
 * Reads one YAML document as cloud-init does: what PyYAML's `safe_load` (YAML 1.1) accepts and
 * refuses, with its values (https://pyyaml.org/wiki/PyYAMLDocumentation). Never throws for what the
 * text holds. Where JSON has no counterpart:
 *
 * - dates and times are the text Python prints of them, numbers that are not finite `Infinity`,
 *   `-Infinity` and `NaN`, sets lists, each with the note `yaml/kept-as-text`;
 * - `!!binary` is its text when that is UTF-8, else base64, with the same note; see `binary()`;
 * - whole numbers beyond ±(2^53 - 1) are the text of their digits (warning `yaml/large-number`);
 * - keys that are no text are what Python's `json.dumps` writes for them (note `yaml/key-not-text`);
 * - of equal keys the last counts (warning `yaml/duplicate-key`).
 *
 * Other than PyYAML it refuses aliases inside what they name, and what is beyond the limits.
 */
export function readYaml(text: string, options: YamlOptions): YamlDocument {
  const { root, findings, place } = readYamlTree(text, options);
  return {
    ...viewOf(root, place),
    value: hasErrors(findings) ? undefined : (root?.value.json ?? null),
    findings,
  };
}

/** A document as it was built, with the place of each of its offsets. */
export interface YamlTree {
  /** `undefined` for an empty document, and where a finding is an error that leaves nothing. */
  readonly root: Item | undefined;
  readonly findings: readonly Finding[];
  place(offset: number): YamlPosition;
}

/** Reads a document as {@link readYaml} does; for who puts values of several documents together. */
export function readYamlTree(text: string, options: YamlOptions): YamlTree {
  const limits = { ...defaults, ...options };
  const prepared = prepareText(text);
  const { place, lineOf } = lineTable(prepared);
  const remarks = remarkList();
  let root: Item | undefined;
  try {
    refuseLarge(text, limits.maxBytes);
    refuseCharacters(prepared);
    const node = parseNodes(prepared, limits);
    if (node !== undefined) {
      const bounds = { ...limits, maxCharacters: limits.maxBytes };
      root = {
        at: node.at,
        value: buildValue(node, { limits: bounds, lineOf, report: remarks.add }),
      };
    }
  } catch (error) {
    if (!(error instanceof YamlProblem)) throw error;
    const { offset, code, message, hint } = error;
    remarks.add({ offset, path: "", level: "error", code, message, hint });
  }
  return { root, findings: toFindings(remarks, options.document, place), place };
}

/** What can be asked of a built value, by path. */
export function viewOf<Position extends YamlPosition>(
  root: Item | undefined,
  place: (offset: number) => Position,
): Pick<YamlDocument, "binary" | "floatText"> & {
  locate(path: readonly (string | number)[], target?: YamlTarget): Position | undefined;
} {
  const scalarAt = (path: readonly (string | number)[]) =>
    root === undefined ? undefined : find(root, path)?.value.scalar;
  return {
    locate: (path, target = "value") => {
      const found = root === undefined ? undefined : find(root, path);
      if (found === undefined) return undefined;
      if (typeof target !== "number") return place(target === "key" ? found.keyAt : found.at);
      return place(found.value.written?.offsetOf(target) ?? found.at);
    },
    binary: (path) => scalarAt(path)?.bytes,
    floatText: (path) => scalarAt(path)?.floatText,
  };
}

interface RemarkList {
  readonly kept: readonly YamlRemark[];
  /** How many there were beyond those. */
  readonly left: number;
  add(remark: YamlRemark): void;
}

/** Keeps as many errors, and as many others, as a person may read. */
function remarkList(): RemarkList {
  const kept: YamlRemark[] = [];
  const counts = { error: 0, other: 0 };
  const list = {
    kept,
    left: 0,
    add(remark: YamlRemark) {
      const kind = remark.level === "error" ? "error" : "other";
      counts[kind] += 1;
      if (counts[kind] <= maxFindings) kept.push(remark);
      else list.left += 1;
    },
  };
  return list;
}

function refuseLarge(text: string, maxBytes: number): void {
  if (text.length <= maxBytes && Buffer.byteLength(text) <= maxBytes) return;
  const message = `the document has more than ${maxBytes} bytes`;
  throw new YamlProblem(
    "yaml/too-large",
    0,
    message,
    "Write a smaller document: what is large belongs into a file that is fetched, as `source.uri` of `write_files`.",
  );
}

function find(
  root: Item,
  path: readonly (string | number)[],
): (Item & { keyAt: number }) | undefined {
  let here = { ...root, keyAt: root.at };
  for (const part of path) {
    const next = child(here.value, part);
    if (next === undefined) return undefined;
    here = next;
  }
  return here;
}

function child(value: BuiltValue, part: string | number): (Item & { keyAt: number }) | undefined {
  if (value.members !== null) return value.members.get(String(part));
  const item = value.items?.[Number(part)];
  return item === undefined ? undefined : { ...item, keyAt: item.at };
}

/** In the order of the document, and one more that says how many are not listed. */
function toFindings(
  { kept, left }: RemarkList,
  document: string,
  place: (offset: number) => YamlPosition,
): readonly Finding[] {
  const sorted = kept.toSorted((a, b) => a.offset - b.offset);
  const findings = sorted.map(
    ({ offset, ...rest }): Finding => ({ document, ...place(offset), ...rest }),
  );
  if (left === 0) return findings;
  const message = `${left} more findings are not listed`;
  const last = sorted.at(-1)?.offset ?? 0;
  const hint = "Mend those above first, then look again.";
  const rest = { ...place(last), path: "", hint };
  return [
    ...findings,
    { document, ...rest, level: "warning", code: "yaml/more-findings", message },
  ];
}
