import type { Json } from "#core/canonical-json.ts";
import type { Code } from "#core/codes.ts";
import type { Finding, FindingLevel } from "#core/finding.ts";
import type { Coverage, Origin } from "./translation.ts";

/** One step of a path inside a document. */
export type PathPart = string | number;

/** Finds the line and column (from 1) of a value, or of its key. */
export type Locate = (
  path: readonly PathPart[],
  target?: "key" | "value",
) => { readonly line: number; readonly column: number } | undefined;

type Fate = keyof Coverage;

/**
 * A document being translated: it remembers what became of every leaf, so that nothing can be
 * dropped without a word.
 */
export class InputDocument {
  readonly name: string;
  readonly findings: Finding[] = [];
  readonly #root: Json;
  readonly #locate: Locate;
  readonly #fates = new Map<string, Fate>();

  constructor(name: string, root: Json, locate: Locate) {
    this.name = name;
    this.#root = root;
    this.#locate = locate;
  }

  get root(): Input {
    return new Input(this, this.#root, []);
  }

  place(path: readonly PathPart[], target: "key" | "value" = "value"): Origin {
    for (let length = path.length; length >= 0; length--) {
      const found = this.#locate(path.slice(0, length), target);
      if (found !== undefined)
        return { document: this.name, line: found.line, column: found.column };
    }
    return { document: this.name, line: null, column: null };
  }

  mark(value: Json, path: readonly PathPart[], fate: Fate): void {
    for (const leaf of leaves(value, path)) {
      const key = leaf.join("\0");
      if (!this.#fates.has(key)) this.#fates.set(key, fate);
    }
  }

  /** Every value that nothing has marked: the highest ones, so that a whole section is named once. */
  unmarked(value: Json = this.#root, path: readonly PathPart[] = []): Input[] {
    const all = leaves(value, path);
    const open = all.filter((leaf) => !this.#fates.has(leaf.join("\0")));
    if (open.length === 0) return [];
    if (path.length > 0 && open.length === all.length) return [new Input(this, value, path)];
    return children(value).flatMap(([part, child]) => this.unmarked(child, [...path, part]));
  }

  coverage(): Coverage {
    const counts = { translated: 0, agent: 0, unsupported: 0 };
    for (const fate of this.#fates.values()) counts[fate] += 1;
    return counts;
  }
}

/** What a finding says beside its place. */
export interface FindingText {
  readonly code: Code;
  readonly message: string;
  readonly hint?: string;
}

/** A value of a document with its place; reading it as something marks its leaves. */
export class Input {
  readonly document: InputDocument;
  readonly value: Json;
  readonly path: readonly PathPart[];

  constructor(document: InputDocument, value: Json, path: readonly PathPart[]) {
    this.document = document;
    this.value = value;
    this.path = path;
  }

  /** The value under a key, or `undefined` when this is no mapping or has no such key. */
  get(key: string): Input | undefined {
    const { value } = this;
    if (!isMapping(value) || !Object.hasOwn(value, key)) return undefined;
    const child = value[key];
    return child === undefined ? undefined : new Input(this.document, child, [...this.path, key]);
  }

  /** Keys with their values; empty when this is no mapping. */
  entries(): readonly (readonly [string, Input])[] {
    if (!isMapping(this.value)) return [];
    return Object.entries(this.value).map(([key, child]) => [
      key,
      new Input(this.document, child, [...this.path, key]),
    ]);
  }

  /** Items of a list; a finding and nothing when this is no list. */
  items(): readonly Input[] {
    const { value } = this;
    if (!isList(value)) {
      if (value !== null) this.expected("a list");
      this.mark("translated");
      return [];
    }
    if (value.length === 0) this.mark("translated");
    return value.map((item, index) => new Input(this.document, item, [...this.path, index]));
  }

  isList(): boolean {
    return isList(this.value);
  }

  isMapping(): boolean {
    return isMapping(this.value);
  }

  /** Text; numbers and booleans as YAML wrote them are refused with a hint to quote them. */
  text(): string | undefined {
    this.mark("translated");
    if (typeof this.value === "string") return this.value;
    if (this.value !== null)
      this.expected("text", typeof this.value === "object" ? undefined : "put it in quotes");
    return undefined;
  }

  /** Text, or a number or boolean as its text: where cloud-init takes `str(value)`. */
  looseText(): string | undefined {
    if (typeof this.value === "number" || typeof this.value === "boolean") {
      this.mark("translated");
      return String(this.value);
    }
    return this.text();
  }

  /** A boolean; the texts that cloud-init takes for one (`util.is_true`) count too. */
  boolean(): boolean | undefined {
    this.mark("translated");
    if (typeof this.value === "boolean") return this.value;
    const text = String(this.value).trim().toLowerCase();
    if (["true", "1", "on", "yes"].includes(text)) return true;
    if (["false", "0", "off", "no"].includes(text)) return false;
    if (this.value !== null) this.expected("true or false");
    return undefined;
  }

  /** A whole number, also written as text. */
  integer(): number | undefined {
    this.mark("translated");
    const number =
      typeof this.value === "string" && /^[0-9]{1,15}$/.test(this.value)
        ? Number(this.value)
        : this.value;
    if (typeof number === "number" && Number.isSafeInteger(number)) return number;
    if (this.value !== null) this.expected("a whole number");
    return undefined;
  }

  /** A list of texts; a single text counts as a list of one, as cloud-init takes it. */
  texts(): readonly string[] {
    const items = typeof this.value === "string" ? [this as Input] : this.items();
    return items.map((item) => item.looseText()).filter((text) => text !== undefined);
  }

  /** Names: a list, or one text with commas. */
  names(): readonly string[] {
    const split = (text: string) =>
      text
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name !== "");
    return this.texts().flatMap(split);
  }

  mark(fate: Fate): void {
    this.document.mark(this.value, this.path, fate);
  }

  /** Says that this has no meaning here and what to do instead; nothing of it is used. */
  unsupported(text: FindingText, level: FindingLevel = "warning"): void {
    this.mark("unsupported");
    this.add(level, text, "key");
  }

  expected(what: string, hint?: string): void {
    this.add("error", {
      code: "user-data/wrong-type",
      message: `expected ${what}, got ${describe(this.value)}`,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  add(level: FindingLevel, text: FindingText, target: "key" | "value" = "value"): void {
    const { line, column } = this.document.place(this.path, target);
    const { code, message, hint = null } = text;
    this.document.findings.push({
      document: this.document.name,
      path: this.path.join("."),
      line,
      column,
      level,
      code,
      message,
      hint,
    });
  }

  origin(): Origin {
    return this.document.place(this.path);
  }
}

function leaves(value: Json, path: readonly PathPart[]): readonly (readonly PathPart[])[] {
  const inside = children(value);
  return inside.length === 0
    ? [path]
    : inside.flatMap(([part, child]) => leaves(child, [...path, part]));
}

function children(value: Json): readonly (readonly [PathPart, Json])[] {
  if (isList(value)) return value.map((item, index) => [index, item]);
  return isMapping(value) ? Object.entries(value) : [];
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isMapping(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The kind of a value, never the value: it may be a password in the wrong place. */
function describe(value: Json): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  return (
    { string: "text", number: "a number", boolean: "true or false", object: "a mapping" }[
      typeof value as string
    ] ?? typeof value
  );
}
