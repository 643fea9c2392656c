import { attrPath, escaped, indentedLines } from "./text.ts";
import type {
  Binding,
  CallExpr,
  Formals,
  LambdaExpr,
  NixExpr,
  SelectExpr,
  StringExpr,
} from "./tree.ts";

/**
 * The expression on one line, or `undefined` where the style always takes more: lists and sets of
 * more than one element, `let`, texts of several lines, comments.
 */
export function flat(expr: NixExpr): string | undefined {
  switch (expr.kind) {
    case "null":
      return "null";
    case "bool":
      return String(expr.value);
    case "int":
      return expr.value === lowestInt ? "-9223372036854775807 - 1" : String(expr.value);
    case "float":
      return floatText(expr.value);
    case "path":
      return expr.path;
    case "reference":
      return attrPath(expr.path);
    case "string":
      return indentedText(expr) === undefined ? stringText(expr) : undefined;
    case "list":
      return flatList(expr.items);
    case "attrs":
      return flatAttrs(expr.entries);
    case "select":
      return flatSelect(expr);
    case "call":
      return endsOpen(expr) ? undefined : joined([expr.callee, ...expr.args].map(flatTerm), " ");
    case "lambda":
      return flatLambda(expr);
    case "let":
      return undefined;
    case "with":
      return joined([flat(expr.scope), flat(expr.body)], "; ", "with ");
    case "if":
      return flatIf(expr);
    case "operator":
      return joined(expr.operands.map(flatOperand), ` ${expr.operator} `);
  }
}

/** Whether a call ends in `(name: { … })` or `(name { … })`: the style opens such sets. */
function endsOpen(expr: CallExpr): boolean {
  const last = expr.args.at(-1);
  if (last?.kind === "lambda") return typeof last.parameter === "string" && isFilledSet(last.body);
  return last?.kind === "call" && isPlainCall(last) && last.args.every(isFilledSet);
}

/** A call of a bare name with one argument. */
export function isPlainCall(expr: CallExpr): boolean {
  return (
    expr.args.length === 1 && expr.callee.kind === "reference" && expr.callee.path.length === 1
  );
}

/** Nix has no literal for the lowest integer: the sign is an operator. */
const lowestInt = -(2n ** 63n);

/** A float always has a dot: `1e5` would be read as the number 1 and the variable e5. */
function floatText(value: number): string {
  if (value === 0) return "0.0";
  const [mantissa = "", exponent] = String(value).split("e");
  const dotted = mantissa.includes(".") ? mantissa : `${mantissa}.0`;
  return exponent === undefined ? dotted : `${dotted}e${exponent}`;
}

/** The lines of a text that is printed between `''`, `undefined` for any other string. */
export function indentedText(expr: StringExpr): readonly string[] | undefined {
  const [only] = expr.parts;
  return typeof only === "string" && expr.parts.length === 1 ? indentedLines(only) : undefined;
}

function stringText(expr: StringExpr): string {
  const parts = expr.parts.map((part, index) =>
    typeof part === "string"
      ? escaped(part, expr.parts[index + 1] !== undefined)
      : `\${${interpolationText(part)}}`,
  );
  return `"${parts.join("")}"`;
}

/** What is interpolated stays on one line; our own code interpolates only what can. */
function interpolationText(expr: NixExpr): string {
  const text = expr.kind === "string" ? stringText(expr) : flat(expr);
  if (text === undefined) throw new Error(`nix string: cannot interpolate a long ${expr.kind}`);
  return text;
}

function flatList(items: readonly (NixExpr | { readonly kind: "comment" })[]): string | undefined {
  const [only] = items;
  if (only === undefined) return "[ ]";
  if (items.length > 1 || only.kind === "comment") return undefined;
  return joined([flatTerm(only), "]"], " ", "[ ");
}

function flatAttrs(entries: readonly { readonly kind: string }[]): string | undefined {
  const shown = entries.filter((entry) => entry.kind !== "blank");
  const [only] = shown;
  if (only === undefined) return "{ }";
  if (shown.length > 1 || only.kind !== "binding") return undefined;
  const { path, value } = only as Binding;
  if (value.kind === "attrs" && value.entries.length > 0) return undefined;
  return joined([`{ ${attrPath(path)} =`, suffixed(flat(value), ";"), "}"], " ");
}

function flatSelect(expr: SelectExpr): string | undefined {
  const selected = suffixed(flatTerm(expr.base), `.${attrPath(expr.path)}`);
  return expr.fallback === null ? selected : joined([selected, flatTerm(expr.fallback)], " or ");
}

function flatLambda(expr: LambdaExpr): string | undefined {
  if (typeof expr.parameter !== "string" && isFilledSet(expr.body)) return undefined;
  return joined([flatParameter(expr.parameter), flat(expr.body)], ": ");
}

function isFilledSet(expr: NixExpr): boolean {
  return expr.kind === "attrs" && expr.entries.length > 0;
}

/** A name, or a set pattern of at most two names without fallbacks: longer ones take lines. */
export function flatParameter(parameter: string | Formals): string | undefined {
  if (typeof parameter === "string") return parameter;
  const { names, open } = parameter;
  if (names.length > 2 || names.some((each) => each.fallback !== null)) return undefined;
  const words = [...names.map((each) => each.name), ...(open ? ["..."] : [])];
  return words.length === 0 ? "{ }" : `{ ${words.join(", ")} }`;
}

function flatIf(expr: Extract<NixExpr, { kind: "if" }>): string | undefined {
  if (expr.whenFalse.kind === "if") return undefined;
  const parts = [expr.condition, expr.whenTrue, expr.whenFalse].map(flat);
  const [condition, whenTrue, whenFalse] = parts;
  return joined([condition, "then", whenTrue, "else", whenFalse], " ", "if ");
}

/** On one line, in parentheses where it would not be one argument or list element without. */
export function flatTerm(expr: NixExpr): string | undefined {
  return needsParens(expr) ? suffixed(flat(expr), ")", "(") : flat(expr);
}

function flatOperand(expr: NixExpr): string | undefined {
  return needsParensAsOperand(expr) ? suffixed(flat(expr), ")", "(") : flat(expr);
}

/** Whether an expression needs parentheses to be one argument, list element or base of a selection. */
export function needsParens(expr: NixExpr): boolean {
  if (expr.kind === "call") return true;
  return expr.kind === "select" ? expr.fallback !== null : needsParensAsOperand(expr);
}

/** Whether an expression needs parentheses beside an operator. */
export function needsParensAsOperand(expr: NixExpr): boolean {
  switch (expr.kind) {
    case "int":
    case "float":
      return expr.value < 0;
    case "lambda":
    case "let":
    case "with":
    case "if":
    case "operator":
      return true;
    default:
      return false;
  }
}

function joined(
  parts: readonly (string | undefined)[],
  separator: string,
  prefix = "",
): string | undefined {
  return parts.includes(undefined) ? undefined : prefix + parts.join(separator);
}

function suffixed(text: string | undefined, suffix: string, prefix = ""): string | undefined {
  return text === undefined ? undefined : `${prefix}${text}${suffix}`;
}
