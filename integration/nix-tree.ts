import {
  type AttrsEntry,
  attrs,
  bind,
  bool,
  call,
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
  path,
  ref,
  select,
  str,
  withScope,
} from "#provisioner/nix-language/tree.ts";
import { nixNormalForm } from "./nix-eval.ts";

/**
 * The tree of a Nix file, read by real Nix: for checks of what is written by hand. It is made for
 * `definedOptions`, not for printing: comments and order are lost, every path is `./file`, every
 * computed attribute name is `dynamic`, and what the tree has no word for is a reference to
 * `unknown`. Throws with Nix's own words where the text is not Nix.
 */
export function treeOfNix(text: string): NixExpr {
  const reader = new NormalFormReader(nixNormalForm(text).trim());
  return reader.file();
}

const unknown = ref("unknown");
const joining = new Set(["+", "++", "//", "&&", "||", "=="] as const);
type Joining = typeof joining extends Set<infer Each> ? Each : never;

/** Nix shows strings with interpolations, and with escapes in `''`, as sums that begin with text. */
function joinedText(operands: readonly NixExpr[]): NixExpr {
  return interpolated(
    ...operands.flatMap((each) => (each.kind === "string" ? each.parts : [each])),
  );
}

/** Reads the normal form of `nix-instantiate --parse`, in which each compound stands in parentheses. */
class NormalFormReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  file(): NixExpr {
    const expr = this.#expr();
    if (this.#at < this.#text.length) throw this.#unexpected("the end");
    return expr;
  }

  #expr(): NixExpr {
    let expr = this.#term();
    while (this.#take(".")) expr = this.#selected(expr, this.#attrPath());
    return expr;
  }

  #selected(base: NixExpr, names: readonly string[]): NixExpr {
    if (this.#take(" or ")) return select(base, names, this.#expr());
    if (base.kind !== "reference") return select(base, names);
    const [root = "", ...below] = base.path;
    return ref(root, ...below, ...names);
  }

  #term(): NixExpr {
    if (this.#take("(")) return this.#compound();
    if (this.#take("[")) return list(this.#until("]", () => this.#expr()));
    if (this.#take("rec {") || this.#take("{")) return attrs(this.#bindings("}"));
    if (this.#peek('"')) return str(this.#string());
    if (this.#take("assert ")) return this.#assertion();
    return this.#atom();
  }

  #assertion(): NixExpr {
    this.#expr();
    this.#expect("; ");
    return this.#expr();
  }

  #atom(): NixExpr {
    const number = this.#match(/-?\d+(\.\d+)?(e[+-]?\d+)?/y);
    if (number !== undefined)
      return /[.e]/.test(number) ? float(Number(number)) : int(BigInt(number));
    if (this.#match(/\/[A-Za-z0-9._+/-]*/y) !== undefined) return path("./file");
    const name = this.#identifier();
    if (name === "null") return nil;
    return name === "true" || name === "false" ? bool(name === "true") : ref(name);
  }

  /** Behind an opening parenthesis. */
  #compound(): NixExpr {
    if (this.#take("let ")) return this.#let();
    if (this.#take("with ")) return this.#closed(() => withScope(this.#expr(), this.#behind("; ")));
    if (this.#take("if ")) {
      return this.#closed(() =>
        ifElse(this.#expr(), this.#behind(" then "), this.#behind(" else ")),
      );
    }
    if (this.#take("! ")) return this.#closed(() => join("||", [this.#expr(), bool(false)]));
    const head = this.#lambdaHead();
    if (head !== undefined) return this.#closed(() => head(this.#expr()));
    return this.#closed(() => this.#application(this.#expr()));
  }

  #let(): NixExpr {
    const entries = this.#bindings("in ");
    return this.#closed(() => letIn(entries, this.#expr()));
  }

  /** `x: `, or `{ a, b ? 1, ... }: ` with or without `@ name`; nothing is read where it is neither. */
  #lambdaHead(): ((body: NixExpr) => NixExpr) | undefined {
    const name = this.#match(/[A-Za-z_][\w'-]*(?=: )/y);
    if (name !== undefined) {
      this.#expect(": ");
      return (body) => lambda(name, body);
    }
    if (
      this.#match(
        /\{ (?=\.\.\. \}|\}( @ [\w'-]+)?:|[A-Za-z_][\w'-]*(, | \? | \}( @ [\w'-]+)?:))/y,
      ) === undefined
    ) {
      return undefined;
    }
    const names: { name: string; fallback: NixExpr | null }[] = [];
    while (this.#match(/(\.\.\. )?\}( @ [\w'-]+)?: /y) === undefined) {
      const each = this.#identifier();
      names.push({ name: each, fallback: this.#take(" ? ") ? this.#expr() : null });
      this.#match(/, | /y);
    }
    return (body) => functionOf({ names, open: true }, body);
  }

  /** Behind the first operand: arguments, an operator, or nothing. */
  #application(first: NixExpr): NixExpr {
    if (this.#match(/ \? [^)]*/y) !== undefined) return bool(true);
    const sign = this.#match(/ (\+\+|\/\/|&&|\|\||->|==|!=|\+) /y)?.trim();
    if (sign === undefined) return this.#call(first);
    const operands = [first, this.#expr()];
    while (this.#take(` ${sign} `)) operands.push(this.#expr());
    if (sign === "+" && first.kind === "string") return joinedText(operands);
    return joining.has(sign as Joining) ? join(sign as Joining, operands) : unknown;
  }

  #call(callee: NixExpr): NixExpr {
    const args: NixExpr[] = [];
    while (this.#take(" ")) args.push(this.#expr());
    return call(callee, ...args);
  }

  #bindings(end: string): readonly AttrsEntry[] {
    return this.#until(end, () => this.#binding()).flat();
  }

  #binding(): readonly AttrsEntry[] {
    if (this.#take("inherit ")) return this.#inherited();
    const name = this.#attrName();
    this.#expect(" = ");
    const value = this.#expr();
    this.#expect(";");
    return [bind(name, value)];
  }

  /** One name in older versions, which show `inherit (a) b` as `b = (a).b`; in later ones all of them. */
  #inherited(): readonly AttrsEntry[] {
    const from = this.#take("(") ? this.#closed(() => this.#expr()) : undefined;
    return this.#until(";", () => this.#attrName()).map((name) => {
      if (from !== undefined) return bind(name, this.#selected(from, [name]));
      return /^[A-Za-z_][\w'-]*$/.test(name) ? inherit([name]) : bind(name, unknown);
    });
  }

  #attrPath(): readonly string[] {
    const names = [this.#attrName()];
    while (this.#take(".")) names.push(this.#attrName());
    return names;
  }

  #attrName(): string {
    if (this.#match(/"\$\{/y) === undefined) {
      return this.#peek('"') ? this.#string() : this.#identifier();
    }
    this.#expr();
    this.#expect('}"');
    return "dynamic";
  }

  #string(): string {
    const quoted = this.#match(/"(?:[^"\\]|\\[\s\S])*"/y);
    if (quoted === undefined) throw this.#unexpected("a string");
    const controls: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };
    return quoted.slice(1, -1).replace(/\\([\s\S])/g, (_, char: string) => controls[char] ?? char);
  }

  #identifier(): string {
    const name = this.#match(/[A-Za-z_][\w'-]*/y);
    if (name === undefined) throw this.#unexpected("a name");
    return name;
  }

  #until<T>(end: string, read: () => T): readonly T[] {
    const items: T[] = [];
    while (true) {
      this.#take(" ");
      if (this.#take(end)) return items;
      items.push(read());
    }
  }

  #behind(word: string): NixExpr {
    this.#expect(word);
    return this.#expr();
  }

  #closed(read: () => NixExpr): NixExpr {
    const expr = read();
    this.#expect(")");
    return expr;
  }

  #peek(word: string): boolean {
    return this.#text.startsWith(word, this.#at);
  }

  #take(word: string): boolean {
    const found = this.#peek(word);
    if (found) this.#at += word.length;
    return found;
  }

  #match(sticky: RegExp): string | undefined {
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #expect(word: string): void {
    if (!this.#take(word)) throw this.#unexpected(JSON.stringify(word));
  }

  #unexpected(expected: string): Error {
    const found = JSON.stringify(this.#text.slice(this.#at, this.#at + 60));
    return new Error(`nix normal form: expected ${expected}, got ${found}`);
  }
}
