import { Fault } from "#core/fault.ts";
import { isIdentifier, unprintableReason } from "./text.ts";

/**
 * An expression of the Nix language. Trees are built by the functions of this module only: they
 * refuse what cannot be printed, so that data never becomes code.
 */
export type NixExpr =
  | { readonly kind: "null" }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "int"; readonly value: bigint }
  | { readonly kind: "float"; readonly value: number }
  | StringExpr
  | { readonly kind: "path"; readonly path: string }
  | ListExpr
  | AttrsExpr
  | { readonly kind: "reference"; readonly path: readonly string[] }
  | SelectExpr
  | CallExpr
  | LambdaExpr
  | LetExpr
  | WithExpr
  | IfExpr
  | OperatorExpr;

/** Text parts are literal; expressions between them are interpolated. No two text parts touch. */
export interface StringExpr {
  readonly kind: "string";
  readonly parts: readonly (string | NixExpr)[];
}

/** `[ items ]`; comments stand on lines of their own. */
export interface ListExpr {
  readonly kind: "list";
  readonly items: readonly (NixExpr | Comment)[];
}

/** `{ entries }`, never with an attribute twice. */
export interface AttrsExpr {
  readonly kind: "attrs";
  readonly entries: readonly AttrsEntry[];
}

/** `base.path` of a base that is no plain name, or `base.path or fallback`. */
export interface SelectExpr {
  readonly kind: "select";
  readonly base: NixExpr;
  readonly path: readonly string[];
  readonly fallback: NixExpr | null;
}

/** `callee args…`, at least one argument. */
export interface CallExpr {
  readonly kind: "call";
  readonly callee: NixExpr;
  readonly args: readonly NixExpr[];
}

/** `name: body`, or `{ names, ... }: body`. */
export interface LambdaExpr {
  readonly kind: "lambda";
  readonly parameter: string | Formals;
  readonly body: NixExpr;
}

/** The set pattern of a function; `open` adds `...`. */
export interface Formals {
  readonly names: readonly { readonly name: string; readonly fallback: NixExpr | null }[];
  readonly open: boolean;
}

/** `let entries in body` */
export interface LetExpr {
  readonly kind: "let";
  readonly entries: readonly AttrsEntry[];
  readonly body: NixExpr;
}

/** `with scope; body` */
export interface WithExpr {
  readonly kind: "with";
  readonly scope: NixExpr;
  readonly body: NixExpr;
}

/** `if condition then whenTrue else whenFalse` */
export interface IfExpr {
  readonly kind: "if";
  readonly condition: NixExpr;
  readonly whenTrue: NixExpr;
  readonly whenFalse: NixExpr;
}

/** Operators that join two operands or more of one sort; each is associative but `==`, which has two operands. */
export type Operator = "+" | "++" | "//" | "&&" | "||" | "==";

/** Two operands or more, joined by one operator. */
export interface OperatorExpr {
  readonly kind: "operator";
  readonly operator: Operator;
  readonly operands: readonly NixExpr[];
}

/** Line comments; the printer makes any text safe. */
export interface Comment {
  readonly kind: "comment";
  readonly text: string;
}

/** What stands between the braces of an attribute set, or between `let` and `in`. */
export type AttrsEntry = Binding | Inherit | Comment | { readonly kind: "blank" };

/** `path = value;` */
export interface Binding {
  readonly kind: "binding";
  readonly path: readonly string[];
  readonly value: NixExpr;
}

/** `inherit names;` or `inherit (from) names;` */
export interface Inherit {
  readonly kind: "inherit";
  readonly from: NixExpr | null;
  readonly names: readonly string[];
}

/** An empty line between entries; the printer drops leading, trailing and repeated ones. */
export const blank: AttrsEntry = { kind: "blank" };

/** `null` */
export const nil: NixExpr = { kind: "null" };

/** `true` or `false` */
export function bool(value: boolean): NixExpr {
  return { kind: "bool", value };
}

const lowestInt = -(2n ** 63n);
const highestInt = 2n ** 63n - 1n;

/**
 * An integer of 64 bits; throws `nix/unprintable` for any other number, and for a JavaScript number
 * beyond 53 bits: it may have lost digits when it was read.
 */
export function int(value: number | bigint): NixExpr {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new Fault("nix/unprintable", "nix integer: expected a whole number of at most 53 bits");
  }
  const exact = BigInt(value);
  if (exact < lowestInt || exact > highestInt) {
    throw new Fault("nix/unprintable", "nix integer: expected 64 bits, got a larger number");
  }
  return { kind: "int", value: exact };
}

const smallestFloat = 2.2250738585072014e-308;

/**
 * A floating point number; throws `nix/unprintable` for NaN, the infinities, and what is nearer to
 * zero than 2^-1022, which Nix's parser refuses. The sign of -0 is lost: Nix cannot write it.
 */
export function float(value: number): NixExpr {
  if (!Number.isFinite(value) || (value !== 0 && Math.abs(value) < smallestFloat)) {
    throw new Fault("nix/unprintable", "nix float: expected a finite number that Nix can read");
  }
  return { kind: "float", value };
}

/** A string that holds exactly `text`, whatever is in it. */
export function str(text: string): StringExpr {
  return { kind: "string", parts: text === "" ? [] : [printable(text, "nix string")] };
}

/**
 * A string with interpolated expressions: `interpolated(ref("modulesPath"), "/profiles")`. Texts
 * stay literal; only expressions of our own code belong here, such as fit on one line (a longer one
 * is a defect that `print` reports).
 */
export function interpolated(...parts: readonly (string | NixExpr)[]): StringExpr {
  const joined: (string | NixExpr)[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (typeof part === "string" && typeof last === "string") joined.splice(-1, 1, last + part);
    else if (part !== "") joined.push(part);
  }
  for (const part of joined) if (typeof part === "string") printable(part, "nix string");
  return { kind: "string", parts: joined };
}

const relativePath = /^\.(\/[A-Za-z0-9_][A-Za-z0-9._+-]*)+$/;

/** A path beside the printed file, such as `./firstlight/network.nix`; any other is a defect. */
export function path(relative: string): NixExpr {
  if (!relativePath.test(relative)) {
    throw defect("nix path: expected ./names of plain characters", relative);
  }
  return { kind: "path", path: relative };
}

/** `[ items ]` */
export function list(items: readonly (NixExpr | Comment)[]): ListExpr {
  return { kind: "list", items };
}

/** `{ entries }`; an attribute that is set twice, or set and set inside of, is a defect. */
export function attrs(entries: readonly AttrsEntry[]): AttrsExpr {
  refuseDuplicates(entries);
  const isEmpty = entries.every((entry) => entry.kind === "blank");
  return { kind: "attrs", entries: isEmpty ? [] : entries };
}

/** `path = value;`, the path as one attribute name or as its parts. Names may be any text. */
export function bind(path: string | readonly string[], value: NixExpr): Binding {
  return { kind: "binding", path: namedPath(typeof path === "string" ? [path] : path), value };
}

/** `inherit names;`, from an expression where one is given. */
export function inherit(names: readonly string[], from: NixExpr | null = null): Inherit {
  return { kind: "inherit", from, names: names.map(variable) };
}

/** Line comments; a newline in the text begins the next comment line. */
export function comment(text: string): Comment {
  return { kind: "comment", text };
}

/** A variable, or an attribute below it: `ref("pkgs", "vim")`. The parts below may be any text. */
export function ref(name: string, ...below: readonly string[]): NixExpr {
  return { kind: "reference", path: [variable(name), ...namedPath(below)] };
}

/** `base.path`, and ` or fallback` where one is given. */
export function select(
  base: NixExpr,
  path: readonly string[],
  fallback: NixExpr | null = null,
): NixExpr {
  if (path.length === 0) throw defect("nix selection: expected at least one attribute", "none");
  return { kind: "select", base, path: namedPath(path), fallback };
}

/** `callee args…` */
export function call(callee: NixExpr, ...args: readonly NixExpr[]): NixExpr {
  if (args.length === 0) return callee;
  if (callee.kind === "call") return { ...callee, args: [...callee.args, ...args] };
  return { kind: "call", callee, args };
}

/** `import file`; give the arguments of an imported function to {@link call}. */
export function importFile(file: NixExpr): NixExpr {
  return call(ref("import"), file);
}

/** `name: body` */
export function lambda(name: string, body: NixExpr): LambdaExpr {
  return { kind: "lambda", parameter: variable(name), body };
}

/** `{ names, ... }: body`, the head of a module. */
export function moduleOf(names: readonly string[], body: NixExpr): LambdaExpr {
  const formals = names.map((name) => ({ name: variable(name), fallback: null }));
  return { kind: "lambda", parameter: { names: formals, open: true }, body };
}

/** `{ a, b ? fallback }: body`, `...` only where `open`. */
export function functionOf(parameter: Formals, body: NixExpr): LambdaExpr {
  for (const { name } of parameter.names) variable(name);
  return { kind: "lambda", parameter, body };
}

/** `let entries in body` */
export function letIn(entries: readonly AttrsEntry[], body: NixExpr): NixExpr {
  refuseDuplicates(entries);
  return entries.length === 0 ? body : { kind: "let", entries, body };
}

/** `with scope; body` */
export function withScope(scope: NixExpr, body: NixExpr): NixExpr {
  return { kind: "with", scope, body };
}

/** `if condition then whenTrue else whenFalse` */
export function ifElse(condition: NixExpr, whenTrue: NixExpr, whenFalse: NixExpr): NixExpr {
  return { kind: "if", condition, whenTrue, whenFalse };
}

/** Operands joined by one operator; a single operand is itself. */
export function join(operator: Operator, operands: readonly NixExpr[]): NixExpr {
  const [first] = operands;
  if (first === undefined) throw defect("nix operator: expected an operand", "none");
  if (operator === "==" && operands.length > 2)
    throw defect("nix operator: expected two operands of ==", String(operands.length));
  return operands.length === 1 ? first : { kind: "operator", operator, operands };
}

function refuseDuplicates(entries: readonly AttrsEntry[]): void {
  const seen = new Set<string>();
  const inside = new Set<string>();
  for (const path of entries.flatMap(definedPaths)) {
    const key = JSON.stringify(path);
    const above = path.slice(1).map((_, index) => JSON.stringify(path.slice(0, index + 1)));
    if (seen.has(key) || inside.has(key) || above.some((each) => seen.has(each))) {
      throw defect("nix attribute set: expected each attribute once", path.join("."));
    }
    seen.add(key);
    for (const each of above) inside.add(each);
  }
}

function definedPaths(entry: AttrsEntry): readonly (readonly string[])[] {
  if (entry.kind === "binding") return [entry.path];
  return entry.kind === "inherit" ? entry.names.map((name) => [name]) : [];
}

function namedPath(parts: readonly string[]): readonly string[] {
  for (const part of parts) printable(part, "nix attribute name");
  return parts;
}

function variable(name: string): string {
  if (!isIdentifier(name)) throw defect("nix variable: expected an identifier", name);
  return name;
}

function printable(text: string, what: string): string {
  const reason = unprintableReason(text);
  if (reason !== undefined) throw new Fault("nix/unprintable", `${what}: holds ${reason}`);
  return text;
}

function defect(message: string, came: string): Fault {
  return new Fault("cli/internal", `${message}, got ${JSON.stringify(came)}`);
}
