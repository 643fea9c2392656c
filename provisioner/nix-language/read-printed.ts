import {
  type AttrsEntry,
  attrs,
  bind,
  bool,
  call,
  type Formals,
  float,
  functionOf,
  ifElse,
  inherit,
  int,
  interpolated,
  join,
  lambda,
  letIn,
  list,
  type NixExpr,
  nil,
  type Operator,
  path,
  ref,
  select,
  str,
  withScope,
} from "./tree.ts";

/**
 * The tree of a text that {@link print} made, without its comments and empty lines: for checks of
 * what was rendered, without a process of Nix. Reads what the printer writes and nothing else; throws
 * where the text is anything else.
 */
export function readPrinted(text: string): NixExpr {
  return new Reader(text).file();
}

const operators: ReadonlySet<string> = new Set<Operator>(["+", "++", "//", "&&", "||", "=="]);

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/** Begins a function of a set pattern: no attribute set begins so. */
const formalsHead = /\{\s*(?:\.\.\.|\}\s*:|[A-Za-z_][\w'-]*\s*[,?}])/y;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  file(): NixExpr {
    const expr = this.#expr();
    this.#skip();
    if (this.#at < this.#text.length) throw this.#unexpected("the end");
    return expr;
  }

  #expr(): NixExpr {
    if (this.#word("let")) return letIn(this.#entries("in"), this.#expr());
    if (this.#word("with")) return withScope(this.#expr(), this.#behind(";"));
    if (this.#word("if")) {
      const condition = this.#expr();
      return ifElse(condition, this.#behindWord("then"), this.#behindWord("else"));
    }
    return this.#lambda() ?? this.#joined();
  }

  /** `undefined`, and nothing read, where no function begins. */
  #lambda(): NixExpr | undefined {
    const name = this.#match(/([A-Za-z_][\w'-]*):(?=\s)/y);
    if (name !== undefined) return lambda(name.slice(0, -1), this.#expr());
    if (!this.#sees(formalsHead)) return undefined;
    const formals = this.#formals();
    this.#expect(":");
    return functionOf(formals, this.#expr());
  }

  #formals(): Formals {
    const names: { readonly name: string; readonly fallback: NixExpr | null }[] = [];
    this.#expect("{");
    while (!this.#take("}")) {
      if (this.#take("...")) {
        this.#expect("}");
        return { names, open: true };
      }
      const name = this.#identifier();
      names.push({ name, fallback: this.#take("?") ? this.#expr() : null });
      this.#take(",");
    }
    return { names, open: false };
  }

  /** Operands of one operator: the printer puts those of another into parentheses. */
  #joined(): NixExpr {
    const operands = [this.#applied()];
    const operator = this.#operator();
    if (operator === undefined) return operands[0] ?? nil;
    if (operator === "-") return this.#lowestInt(operands[0]);
    do operands.push(this.#applied());
    while (this.#operator(operator) !== undefined);
    return join(operator as Operator, operands);
  }

  #operator(expected?: string): string | undefined {
    this.#skip();
    const sign = /(?:\+\+|\/\/|&&|\|\||==|[+-])(?=\s)/y;
    sign.lastIndex = this.#at;
    const [found] = sign.exec(this.#text) ?? [];
    if (found === undefined || (expected !== undefined && found !== expected)) return undefined;
    if (found !== "-" && !operators.has(found)) return undefined;
    this.#at += found.length;
    return found;
  }

  /** `-9223372036854775807 - 1`: the one number that has no literal. */
  #lowestInt(first: NixExpr | undefined): NixExpr {
    this.#expect("1");
    if (first?.kind !== "int") throw this.#unexpected("a number before it");
    return int(first.value - 1n);
  }

  #applied(): NixExpr {
    const callee = this.#term();
    const args: NixExpr[] = [];
    while (this.#beginsTerm()) args.push(this.#term());
    return call(callee, ...args);
  }

  #beginsTerm(): boolean {
    return this.#sees(/(?!(?:then|else|in|or)\b)(?:[A-Za-z_"([{]|''|\.\/|\d)/y);
  }

  #term(): NixExpr {
    const base = this.#primary();
    if (this.#raw(/\.(?=[A-Za-z_"])/y) === "") return base;
    const below = this.#attrPath();
    if (this.#word("or")) return select(base, below, this.#term());
    const [root, ...rest] = base.kind === "reference" ? base.path : [];
    return root === undefined ? select(base, below) : ref(root, ...rest, ...below);
  }

  #primary(): NixExpr {
    if (this.#take("(")) return this.#closed();
    if (this.#take("[")) return this.#list();
    if (this.#take("{")) return attrs(this.#entries("}"));
    if (this.#take('"')) return this.#string();
    if (this.#take("''")) return this.#indented();
    const relative = this.#match(/\.\/[\w.+/-]+/y);
    if (relative !== undefined) return path(relative);
    const number = this.#match(/-?\d+(?:\.\d+(?:e[+-]?\d+)?)?/y);
    if (number !== undefined)
      return number.includes(".") ? float(Number(number)) : int(BigInt(number));
    const name = this.#identifier();
    if (name === "null") return nil;
    return name === "true" || name === "false" ? bool(name === "true") : ref(name);
  }

  #closed(): NixExpr {
    const expr = this.#expr();
    this.#expect(")");
    return expr;
  }

  #list(): NixExpr {
    const items: NixExpr[] = [];
    while (!this.#take("]")) items.push(this.#term());
    return list(items);
  }

  #entries(end: string): readonly AttrsEntry[] {
    const entries: AttrsEntry[] = [];
    while (!(end === "}" ? this.#take(end) : this.#word(end))) entries.push(this.#entry());
    return entries;
  }

  #entry(): AttrsEntry {
    if (this.#word("inherit")) {
      const from = this.#take("(") ? this.#closed() : null;
      const names: string[] = [];
      while (!this.#take(";")) names.push(this.#identifier());
      return inherit(names, from);
    }
    const names = this.#attrPath();
    this.#expect("=");
    const value = this.#expr();
    this.#expect(";");
    return bind(names, value);
  }

  #attrPath(): readonly string[] {
    const names = [this.#attrName()];
    while (this.#raw(/\./y) !== "") names.push(this.#attrName());
    return names;
  }

  #attrName(): string {
    if (!this.#take('"')) return this.#identifier();
    const { parts } = this.#string();
    const [only = ""] = parts;
    if (parts.length > 1 || typeof only !== "string") throw this.#unexpected("a plain name");
    return only;
  }

  /** Behind the opening quote. */
  #string(): Extract<NixExpr, { kind: "string" }> {
    const parts: (string | NixExpr)[] = [];
    for (;;) {
      const text = this.#raw(/(?:[^"\\$]|\\[\s\S]|\$(?!\{))*/y);
      parts.push(text.replace(/\\([\s\S])/g, (_, char: string) => escapes[char] ?? char));
      if (this.#raw(/"/y) !== "") return interpolated(...parts);
      if (this.#raw(/\$\{/y) === "") throw this.#unexpected("the end of a string");
      parts.push(this.#expr());
      this.#expect("}");
    }
  }

  /** Behind `''` and the end of its line; the printer interpolates nothing in such a text. */
  #indented(): NixExpr {
    const text = this.#raw(/(?:(?!'')[\s\S]|''\$)*/y).replace(/^\n/, "");
    if (this.#raw(/''/y) === "") throw this.#unexpected("the end of an indented string");
    const lines = text.split("\n");
    const filled = lines.slice(0, -1).filter((line) => line !== "");
    const indent = Math.min(...filled.map((line) => line.search(/[^ ]|$/)));
    const ended = [...lines.slice(0, -1).map((line) => line.slice(indent)), ""];
    return str(ended.join("\n").replaceAll("''$", "$"));
  }

  #identifier(): string {
    const name = this.#match(/[A-Za-z_][\w'-]*/y);
    if (name === undefined) throw this.#unexpected("a name");
    return name;
  }

  #behind(sign: string): NixExpr {
    this.#expect(sign);
    return this.#expr();
  }

  #behindWord(word: string): NixExpr {
    if (!this.#word(word)) throw this.#unexpected(word);
    return this.#expr();
  }

  #expect(sign: string): void {
    if (!this.#take(sign)) throw this.#unexpected(sign);
  }

  #take(sign: string): boolean {
    this.#skip();
    const found = this.#text.startsWith(sign, this.#at);
    if (found) this.#at += sign.length;
    return found;
  }

  #word(word: string): boolean {
    return this.#match(new RegExp(`${word}(?![\\w'-])`, "y")) !== undefined;
  }

  #match(sticky: RegExp): string | undefined {
    this.#skip();
    const found = this.#raw(sticky);
    return found === "" ? undefined : found;
  }

  #sees(sticky: RegExp): boolean {
    this.#skip();
    sticky.lastIndex = this.#at;
    return sticky.test(this.#text);
  }

  /** What stands here, white space and all; the empty text where the pattern does not. */
  #raw(sticky: RegExp): string {
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  #skip(): void {
    this.#raw(/(?:\s+|#[^\n]*)*/y);
  }

  #unexpected(expected: string): Error {
    const found = JSON.stringify(this.#text.slice(this.#at, this.#at + 60));
    return new Error(`printed Nix: expected ${expected}, got ${found}`);
  }
}
