import { readScalar } from "../yaml-types.ts";
import {
  type BuiltValue,
  type Item,
  listValue,
  type Member,
  mappingValue,
  scalarValue,
  textValue,
} from "../yaml-values.ts";
import { type Scan, WrittenText } from "../yaml-written.ts";
import { MergeProblem } from "./merge-problem.ts";

const maxDepth = 100;
const maxNodes = 200_000;

/**
 * Reads JSON as Python's `json.loads` does, which also takes `NaN` and `Infinity`; of equal keys the
 * last counts. `from` is the offset at which it begins. Throws {@link MergeProblem} with the place for
 * anything else, and beyond 100 values inside one another or 200,000 in all.
 */
export function readJsonTree(text: string, from = 0): Item {
  return new Reader(text, from).read();
}

class Reader {
  readonly #text: string;
  #at: number;
  #nodes = 0;

  constructor(text: string, from: number) {
    this.#text = text;
    this.#at = from;
  }

  read(): Item {
    const item = this.#value(0);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#broken("the end of the document");
    return item;
  }

  #value(depth: number): Item {
    this.#skipSpace();
    const at = this.#at;
    this.#nodes += 1;
    if (depth > maxDepth || this.#nodes > maxNodes) throw tooLarge(at);
    switch (this.#text[at]) {
      case "{":
        return { at, value: this.#object(depth) };
      case "[":
        return { at, value: this.#list(depth) };
      case '"':
        return { at, value: this.#writtenText() };
      default:
        return { at, value: this.#word() };
    }
  }

  #object(depth: number): BuiltValue {
    const members = new Map<string, Member>();
    this.#each("}", () => {
      this.#skipSpace();
      const keyAt = this.#at;
      const name = this.#string();
      this.#skipSpace();
      this.#take(":");
      members.set(name, {
        name,
        keyAt,
        key: textValue(name),
        own: true,
        ...this.#value(depth + 1),
      });
    });
    return mappingValue(members);
  }

  #list(depth: number): BuiltValue {
    const items: Item[] = [];
    this.#each("]", () => items.push(this.#value(depth + 1)));
    return listValue(items);
  }

  /** What stands between brackets, with commas between; the first bracket is here. */
  #each(end: "]" | "}", readOne: () => void): void {
    this.#at += 1;
    this.#skipSpace();
    if (this.#text[this.#at] === end) {
      this.#at += 1;
      return;
    }
    for (;;) {
      readOne();
      this.#skipSpace();
      if (this.#text[this.#at] !== ",") break;
      this.#at += 1;
    }
    this.#take(end);
  }

  #take(expected: string): void {
    if (this.#text[this.#at] !== expected) throw this.#broken(`\`${expected}\``);
    this.#at += 1;
  }

  /** A text; one of several lines knows where each of its characters stands, as one of YAML does. */
  #writtenText(): BuiltValue {
    const at = this.#at;
    const text = this.#string();
    if (!text.includes("\n")) return textValue(text);
    return {
      ...textValue(text),
      written: new WrittenText(this.#text, { at, end: this.#at }, scanString),
    };
  }

  #string(): string {
    const from = this.#at;
    if (this.#text[from] !== '"') throw this.#broken("a text in double quotes");
    let end = from + 1;
    while (end < this.#text.length && this.#text[end] !== '"') {
      end += this.#text[end] === "\\" ? 2 : 1;
    }
    try {
      const text = JSON.parse(this.#text.slice(from, end + 1));
      this.#at = end + 1;
      return text;
    } catch {
      throw this.#broken("a text in double quotes that ends, with the escapes of JSON");
    }
  }

  #word(): BuiltValue {
    const word = this.#match(/null|true|false|NaN|-?Infinity/y);
    if (word !== undefined) return scalarOf(word);
    const number = this.#match(/-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y);
    if (number === undefined) throw this.#broken("a value");
    return scalarOf(number);
  }

  #match(form: RegExp): string | undefined {
    form.lastIndex = this.#at;
    const [found] = form.exec(this.#text) ?? [];
    this.#at += found?.length ?? 0;
    return found;
  }

  #skipSpace(): void {
    this.#match(/[ \t\n\r]*/y);
  }

  #broken(expected: string): MergeProblem {
    return new MergeProblem("merge/invalid-json", `this is no JSON: expected ${expected}`, {
      at: this.#at,
      hint: "write a list of operations as RFC 6902 has them: commas between them, names and texts in double quotes",
    });
  }
}

/** The pieces of a text in double quotes, which is known to be JSON. */
const scanString: Scan = (cursor, onPiece) => {
  cursor.pos += 1;
  let inText = 0;
  const pieces = /[^"\\]+|\\u[0-9A-Fa-f]{4}|\\./y;
  for (;;) {
    pieces.lastIndex = cursor.pos;
    const [piece] = pieces.exec(cursor.text) ?? [];
    if (piece === undefined) return;
    onPiece(inText, cursor.pos);
    inText += piece.startsWith("\\") ? 1 : piece.length;
    cursor.pos += piece.length;
  }
};

function scalarOf(word: string): BuiltValue {
  const type = /^(?:true|false)$/.test(word)
    ? "bool"
    : word === "null"
      ? "null"
      : /^-?\d+$/.test(word)
        ? "int"
        : "float";
  const spelled = word.replace("NaN", ".nan").replace("Infinity", ".inf");
  const scalar = readScalar(type, spelled);
  return scalar === undefined ? textValue(word) : scalarValue(scalar);
}

function tooLarge(at: number): MergeProblem {
  const message = "the patch is too large, or nested too deep";
  return new MergeProblem("merge/too-large", message, { at, hint: "write a smaller patch" });
}
