import type { Json } from "#core/canonical-json.ts";
import type { Code } from "#core/codes.ts";
import { type Finding, type FindingLevel, findingPath } from "#core/finding.ts";
import { nearest } from "#core/nearest.ts";
import { howToWrite, type PlainKind } from "./how-to-write.ts";
import type { Coverage, Origin } from "./translation.ts";
import type { YamlTarget } from "./yaml.ts";

/** One step of a path inside a document. */
export type PathPart = string | number;

type Fate = keyof Coverage;

/** The document that a value stands in, as far as the value needs it. */
export interface Surroundings {
  readonly name: string;
  readonly findings: Finding[];
  /** Where a value, its key or a character of it stands; the nearest thing around it where that is not known. */
  place(path: readonly PathPart[], target?: YamlTarget): Origin;
  /** The bytes of a value tagged `!!binary`. */
  binary(path: readonly PathPart[]): Uint8Array | undefined;
  /** What Python's `str` makes of a value that YAML reads as a float. */
  floatText(path: readonly PathPart[]): string | undefined;
  /** How a value begins in the document: some characters of its line. */
  written(path: readonly PathPart[]): string | undefined;
  /** Every value that nothing has marked: the highest ones, so that a whole section is named once. */
  unmarked(): readonly Input[];
}

/** A value without values in it, and what became of it. */
export interface Leaf {
  readonly input: Input;
  readonly fate: keyof Coverage | undefined;
}

/** What a finding says beside its place. */
export interface FindingText {
  readonly code: Code;
  readonly message: string;
  readonly hint?: string;
}

/** The same of an error or a warning, which always says what to do. */
export interface HintedText extends FindingText {
  readonly hint: string;
}

const fateRanks: Readonly<Record<Fate, number>> = { translated: 1, agent: 2, unsupported: 3 };

/** A value of a document with its place; reading it as something marks its leaves. */
export class Input {
  readonly document: Surroundings;
  #value: Json;
  #isAbsent = false;
  readonly #parent: Input | undefined;
  readonly #part: PathPart;
  #children: ReadonlyMap<PathPart, Input> | undefined;
  #fate: Fate | undefined;
  /** Of a part of a text: the whole, and where in it the part begins. */
  #cut: { readonly whole: Input; readonly from: number } | undefined;

  /** Made by a document for its root, and by {@link Input} only. */
  constructor(document: Surroundings, value: Json, parent?: Input, part: PathPart = "") {
    this.document = document;
    this.#value = value;
    this.#parent = parent;
    this.#part = part;
  }

  get value(): Json {
    return this.#value;
  }

  get path(): readonly PathPart[] {
    return this.#parent === undefined ? [] : [...this.#parent.path, this.#part];
  }

  /** The value under a key, or `undefined` when this is no mapping or has no such key. */
  get(key: string): Input | undefined {
    const child = this.isMapping() ? this.#inner().get(key) : undefined;
    return child === undefined || child.#isAbsent ? undefined : child;
  }

  /** Whether this is a mapping in which the key is written, also where its value counts as absent. */
  has(key: string): boolean {
    return this.isMapping() && this.#inner().has(key);
  }

  /** The value that this is a part of, or this value. */
  get whole(): Input {
    return this.#cut?.whole ?? this;
  }

  /**
   * A part of this text, from a character on: what is said of it stands there, and what becomes of it
   * becomes of the whole.
   */
  cut(from: number, to?: number): Input {
    const { whole } = this;
    const part = new Input(
      this.document,
      this.scalarText().slice(from, to),
      whole.#parent,
      whole.#part,
    );
    part.#cut = { whole, from: (this.#cut?.from ?? 0) + from };
    return part;
  }

  /** The lines of this text that are not blank, each from its first character that is none. */
  lines(): readonly Input[] {
    return [...this.scalarText().matchAll(/[^\n]+/g)].flatMap(({ 0: line, index }) => {
      const blanks = line.length - line.trimStart().length;
      const end = index + line.length - (line.endsWith("\r") ? 1 : 0);
      return index + blanks < end ? [this.cut(index + blanks, end)] : [];
    });
  }

  /** The values of a mapping or a list, with nothing said where this is neither. */
  parts(): readonly Input[] {
    return [...this.#inner().values()].filter((child) => !child.#isAbsent);
  }

  /** From now on this has another value; with `undefined` what it stands in passes over it. */
  countAs(value: Json | undefined): void {
    if (value === undefined) this.#isAbsent = true;
    else this.#value = value;
  }

  /** Keys with their values; empty when this is no mapping. */
  entries(): readonly (readonly [string, Input])[] {
    if (!this.isMapping()) return [];
    return [...this.#inner()]
      .filter(([, child]) => !child.#isAbsent)
      .map(([key, child]) => [String(key), child]);
  }

  /** Items of a list; a finding and nothing when this is no list. */
  items(): readonly Input[] {
    if (!this.isList()) {
      const hint = "begin each entry with `- `, and indent its other keys as far as the first";
      this.#lacks("a list", this.isMapping() ? hint : undefined);
      return [];
    }
    const items = this.parts();
    if (items.length === 0) this.mark("translated");
    return items;
  }

  isList(): boolean {
    return isList(this.value);
  }

  isMapping(): boolean {
    return isMapping(this.value);
  }

  /** Text; numbers and truth values as YAML reads them are refused with a hint to quote them. */
  text(): string | undefined {
    if (typeof this.value === "string") {
      this.mark("translated");
      return this.value;
    }
    return this.#lacks("text", typeof this.value === "object" ? undefined : "put it in quotes");
  }

  /**
   * Text; a number or truth value becomes the text that Python's `str` makes of it, with a warning,
   * because YAML may have read something else than what is written (`0123`, `no`, `1.10`).
   */
  looseText(): string | undefined {
    const { value } = this;
    if (typeof value !== "number" && typeof value !== "boolean") {
      const text = this.text();
      return text === undefined ? undefined : (this.document.floatText(this.path) ?? text);
    }
    this.mark("translated");
    this.add("warning", {
      code: "user-data/taken-as-text",
      message: `${describe(value)} stands where text is expected, and is taken as text`,
      hint: "put it in quotes: YAML may read it as something else than what is written",
    });
    if (typeof value === "boolean") return value ? "True" : "False";
    return this.document.floatText(this.path) ?? String(value);
  }

  /** Text, number or truth value as text, with nothing said; empty for what holds values, whatever its keys. */
  scalarText(): string {
    return typeof this.value === "object" ? "" : String(this.value);
  }

  /** A truth value; the texts that cloud-init takes for one (`util.is_true`) count too. */
  boolean(): boolean | undefined {
    const text = this.scalarText().trim().toLowerCase();
    const value = ["true", "1", "on", "yes"].includes(text)
      ? true
      : ["false", "0", "off", "no"].includes(text)
        ? false
        : undefined;
    if (typeof this.value === "object" || value === undefined) {
      const near = nearest(text, ["true", "false"]);
      return this.#lacks("true or false", near && `did you mean \`${near}\`?`);
    }
    this.mark("translated");
    return value;
  }

  /** A whole number that is not negative, also written as text. */
  integer(): number | undefined {
    const { value } = this;
    const number = typeof value === "string" && /^[0-9]{1,15}$/.test(value) ? Number(value) : value;
    if (typeof number !== "number" || !Number.isSafeInteger(number) || number < 0) {
      return this.#lacks("a whole number of 0 or more");
    }
    this.mark("translated");
    if (this.document.floatText(this.path) !== undefined) {
      this.add("warning", {
        code: "user-data/taken-as-whole",
        message: `a number with a decimal point stands where a whole one is expected; it is taken as ${number}`,
        hint: "write it without the point",
      });
    }
    return number;
  }

  /** A list of texts. */
  texts(): readonly string[] {
    return present(this.items().map((item) => item.text()));
  }

  /** A list of texts; one text alone counts as a list of one. */
  oneOrMoreTexts(): readonly string[] {
    return typeof this.value === "string" ? present([this.text()]) : this.texts();
  }

  /** Names: a list, or one text with commas; each with the value it stands in. */
  names(): readonly (readonly [string, Input])[] {
    const items = this.isList() ? this.items() : [this];
    return items.flatMap((item) =>
      (item.looseText() ?? "")
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name !== "")
        .map((name) => [name, item] as const),
    );
  }

  /** Says what became of every leaf in here; a fate that says less is never put over one that says more. */
  mark(fate: Fate): void {
    if (this.#cut !== undefined) return this.#cut.whole.mark(fate);
    const inner = this.#inner();
    for (const child of inner.values()) child.mark(fate);
    if (inner.size === 0 && fateRanks[fate] > (this.#fate ? fateRanks[this.#fate] : 0)) {
      this.#fate = fate;
    }
  }

  /** Says that this has no meaning here and what to do instead; nothing of it is used. */
  unsupported(text: HintedText, level?: FindingLevel): void;
  unsupported(text: FindingText, level: "note"): void;
  unsupported(text: FindingText, level: FindingLevel = "warning"): void {
    this.mark("unsupported");
    this.#say(level, text, "key");
  }

  /** An error: something else must stand here. The finding names the kind of the value, or what it is `got` as, never the value. */
  expected(what: PlainKind, hint?: string, got?: string): void;
  expected(what: string, hint: string, got?: string): void;
  expected(what: string, hint?: string, got: string = describe(this.value)): void {
    this.mark("unsupported");
    this.add("error", {
      code: "user-data/wrong-type",
      message: `expected ${what}, got ${got}`,
      hint: hint ?? howToWrite(what as PlainKind, this.path),
    });
  }

  /** Adds a finding about this value, or about its key. */
  add(level: FindingLevel, text: HintedText, target?: "key" | "value"): void;
  add(level: "note", text: FindingText, target?: "key" | "value"): void;
  add(level: FindingLevel, text: FindingText, target?: "key" | "value"): void {
    this.#say(level, text, target);
  }

  #say(level: FindingLevel, text: FindingText, target: "key" | "value" = "value"): void {
    const { path } = this;
    const { document, line, column } = this.origin(target);
    const { code, message, hint = null } = text;
    this.document.findings.push({
      document,
      path: findingPath(path),
      line,
      column,
      level,
      code,
      message,
      hint,
    });
  }

  /** The bytes of this value when it is tagged `!!binary`. */
  binary(): Uint8Array | undefined {
    return this.document.binary(this.path);
  }

  /** How this value begins in the document; see {@link Surroundings.written}. */
  written(): string | undefined {
    return this.document.written(this.path);
  }

  origin(target: "key" | "value" = "value"): Origin {
    return this.document.place(
      this.path,
      target === "value" ? (this.#cut?.from ?? target) : target,
    );
  }

  /** See {@link Surroundings.unmarked}. */
  unmarked(): readonly Input[] {
    const inner = [...this.#inner().values()];
    if (inner.length === 0) return this.#fate === undefined && !this.#isEmptyRoot() ? [this] : [];
    const open = inner.map((child) => child.unmarked());
    const whole = open.every(([first], index) => first === inner[index]);
    return whole && this.#parent !== undefined ? [this] : open.flat();
  }

  /** Adds every leaf in here; an empty document has none. */
  collectLeaves(leaves: Leaf[]): void {
    const inner = this.#inner();
    for (const child of inner.values()) child.collectLeaves(leaves);
    if (inner.size === 0 && !this.#isEmptyRoot()) leaves.push({ input: this, fate: this.#fate });
  }

  #isEmptyRoot(): boolean {
    return this.#parent === undefined && (this.value === null || typeof this.value === "object");
  }

  #inner(): ReadonlyMap<PathPart, Input> {
    this.#children ??= new Map(
      partsOf(this.value).map(([part, child]) => [
        part,
        new Input(this.document, child, this, part),
      ]),
    );
    return this.#children;
  }

  /** Nothing where something may stand counts as absent, with a warning; anything else is an error. */
  #lacks(what: PlainKind | "a whole number of 0 or more", hint?: string): undefined {
    if (this.value !== null) {
      if (what === "a whole number of 0 or more")
        this.expected(what, hint ?? "write digits alone, such as `1000`");
      else this.expected(what, hint);
      return;
    }
    this.mark("unsupported");
    this.add("warning", {
      code: "user-data/no-value",
      message: `expected ${what}, got nothing; the key counts as absent`,
      hint: "remove the key, or give it a value",
    });
  }
}

function present(texts: readonly (string | undefined)[]): readonly string[] {
  return texts.filter((text) => text !== undefined);
}

function partsOf(value: Json): readonly (readonly [PathPart, Json])[] {
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
  if (isList(value)) return "a list";
  if (isMapping(value)) return "a mapping";
  if (typeof value === "string") return "text";
  if (typeof value === "boolean") return "a truth value";
  if (!Number.isInteger(value)) return "a number with a fraction";
  return value < 0 ? "a negative number" : "a number";
}
