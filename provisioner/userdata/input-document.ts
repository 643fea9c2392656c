import type { Json } from "#core/canonical-json.ts";
import type { Finding } from "#core/finding.ts";
import { Input, type Leaf, type PathPart, type Surroundings } from "./input.ts";
import type { Coverage, Origin } from "./translation.ts";
import type { YamlDocument, YamlPosition, YamlTarget } from "./yaml.ts";

/** What is known of a document that has been read. */
export interface SourceDocument {
  /** Name used in findings. */
  readonly name: string;
  readonly value: Json;
  /** Where a value stands; `document` where that is not the one of this name. */
  locate(
    path: readonly PathPart[],
    target?: YamlTarget,
  ): (YamlPosition & { readonly document?: string }) | undefined;
  readonly binary?: YamlDocument["binary"];
  readonly floatText?: YamlDocument["floatText"];
  /** The text of a document that values stand in; absent where they have no text of their own. */
  readonly textOf?: (document: string) => string | undefined;
}

/** Characters of a value's text that are shown at most. */
const maxWritten = 40;

/**
 * A document being translated: it remembers what became of every leaf, so that nothing can be
 * dropped without a word.
 */
export class InputDocument implements Surroundings {
  readonly name: string;
  readonly findings: Finding[] = [];
  readonly root: Input;
  readonly #source: SourceDocument;
  readonly #lines = new Map<string, readonly string[]>();

  constructor(source: SourceDocument) {
    this.name = source.name;
    this.#source = source;
    this.root = new Input(this, source.value);
  }

  place(path: readonly PathPart[], target: YamlTarget = "value"): Origin {
    for (let length = path.length; length >= 0; length--) {
      const found = this.#source.locate(path.slice(0, length), target);
      if (found !== undefined) {
        const { document = this.name, line, column } = found;
        return { document, line, column };
      }
    }
    return { document: this.name, line: null, column: null };
  }

  binary(path: readonly PathPart[]): Uint8Array | undefined {
    return this.#source.binary?.(path);
  }

  floatText(path: readonly PathPart[]): string | undefined {
    return this.#source.floatText?.(path);
  }

  written(path: readonly PathPart[]): string | undefined {
    const { document, line, column } = this.place(path);
    if (line === null || column === null) return undefined;
    // characters are counted as UTF-16 units: a wider one before the value only hides it
    return this.#linesOf(document)[line - 1]?.slice(column - 1, column - 1 + maxWritten);
  }

  #linesOf(document: string): readonly string[] {
    const known = this.#lines.get(document);
    if (known !== undefined) return known;
    const text = this.#source.textOf?.(document);
    const lines = text === undefined ? [] : text.split(/\r\n?|[\n\u0085\u2028\u2029]/);
    this.#lines.set(document, lines);
    return lines;
  }

  unmarked(): readonly Input[] {
    return this.root.unmarked();
  }

  /** Every leaf (a value without values in it) and what became of it; an empty document has none. */
  leaves(): readonly Leaf[] {
    const leaves: Leaf[] = [];
    this.root.collectLeaves(leaves);
    return leaves;
  }

  /** How many leaves had which fate. */
  coverage(): Coverage {
    const counts = { translated: 0, agent: 0, unsupported: 0 };
    for (const { fate } of this.leaves()) if (fate !== undefined) counts[fate] += 1;
    return counts;
  }
}
