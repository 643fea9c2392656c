import {
  flat,
  flatParameter,
  flatTerm,
  indentedText,
  isPlainCall,
  needsParens,
  needsParensAsOperand,
} from "./flat.ts";
import { attrPath, commentLines, isIdentifier } from "./text.ts";
import type {
  AttrsEntry,
  Binding,
  CallExpr,
  Comment,
  IfExpr,
  Inherit,
  LambdaExpr,
  NixExpr,
  OperatorExpr,
} from "./tree.ts";

const maxColumns = 100;

/** Where a piece of text goes: its lines after the first begin at `indent`. */
interface Place {
  readonly indent: number;
  /** Characters before it on its first line, the indentation not counted: so nixfmt measures lines. */
  readonly column: number;
  /** Columns needed behind it on its last line: a semicolon, a parenthesis. */
  readonly tail: number;
}

/** What {@link print} puts before the expression. */
export interface PrintOptions {
  /** Comment at the head of the file. */
  readonly header?: string;
}

/**
 * The expression as a Nix file, formatted as nixfmt (RFC 166) does: its output does not change
 * under nixfmt, and equal trees give equal bytes. The only place where a tree becomes text.
 */
export function print(expr: NixExpr, options: PrintOptions = {}): string {
  const header = options.header === undefined ? [] : [...commentLines(options.header), ""];
  return `${[...header, body(expr, atLineStart(0))].join("\n")}\n`;
}

function atLineStart(indent: number, tail = 0): Place {
  return { indent, column: 0, tail };
}

function fits(text: string, place: Place): boolean {
  return place.column + text.length + place.tail <= maxColumns;
}

function lineBreak(indent: number): string {
  return `\n${" ".repeat(indent)}`;
}

/** Sets, lists and texts that open at the end of a line and close on their own. */
function absorbs(expr: NixExpr): boolean {
  if (expr.kind === "attrs") return expr.entries.length > 0;
  if (expr.kind === "list") return expr.items.length > 0;
  return expr.kind === "string" && indentedText(expr) !== undefined;
}

/** A lambda of plain names, or a `with`, around something that absorbs. */
function absorbsBehindHead(expr: NixExpr): boolean {
  if (expr.kind === "with") return absorbs(expr.body);
  if (expr.kind !== "lambda" || typeof expr.parameter !== "string") return false;
  return absorbs(expr.body) || absorbsBehindHead(expr.body);
}

/** The expression where it has lines of its own: sets are opened even when they would fit. */
function body(expr: NixExpr, place: Place): string {
  const opens = expr.kind === "attrs" ? absorbs(expr) : expr.kind === "let";
  return opens ? expanded(expr, place) : laidOut(expr, place);
}

function laidOut(expr: NixExpr, place: Place): string {
  const line = flat(expr);
  return line !== undefined && fits(line, place) ? line : expanded(expr, place);
}

function expanded(expr: NixExpr, place: Place): string {
  const { indent } = place;
  switch (expr.kind) {
    case "string":
      return expandedString(indentedText(expr), indent) ?? flat(expr) ?? "";
    case "list":
      return bracketed(
        "[",
        expr.items.map((item) => listItem(item, indent + 2)),
        "]",
        indent,
      );
    case "attrs":
      return bracketed("{", entryLines(expr.entries, indent + 2), "}", indent);
    case "call":
      return absorbedCall(expr, place) ?? stackedCall(expr, indent);
    case "lambda":
      return expandedLambda(expr, place);
    case "let": {
      const entries = bracketed("let", entryLines(expr.entries, indent + 2), "in", indent);
      return entries + lineBreak(indent) + body(expr.body, atLineStart(indent, place.tail));
    }
    case "with":
      return `with ${flat(expr.scope) ?? parenthesised(expr.scope, atLineStart(indent))};${lineBreak(indent)}${laidOut(expr.body, atLineStart(indent, place.tail))}`;
    case "if":
      return expandedIf(expr, indent);
    case "operator":
      return expandedOperator(expr, place);
    case "select":
      return `${term(expr.base, place)}.${attrPath(expr.path)}${fallbackText(expr.fallback, indent)}`;
    default:
      return flat(expr) ?? "";
  }
}

function fallbackText(fallback: NixExpr | null, indent: number): string {
  return fallback === null ? "" : ` or ${term(fallback, atLineStart(indent))}`;
}

function expandedString(lines: readonly string[] | undefined, indent: number): string | undefined {
  if (lines === undefined) return undefined;
  const shown = lines.map((line) => (line === "" ? "\n" : lineBreak(indent + 2) + line));
  return `''${shown.join("")}${lineBreak(indent)}''`;
}

/** Lines between an opening and a closing word; an empty line stays empty. */
function bracketed(open: string, lines: readonly string[], close: string, indent: number): string {
  const shown = lines.map((line) => (line === "" ? "\n" : lineBreak(indent + 2) + line));
  return open + shown.join("") + lineBreak(indent) + close;
}

function listItem(item: NixExpr | Comment, indent: number): string {
  if (item.kind === "comment") return commentLines(item.text).join(lineBreak(indent));
  return term(item, atLineStart(indent));
}

/** Entries, one text each; blank lines single, and none at the edges. */
function entryLines(entries: readonly AttrsEntry[], indent: number): readonly string[] {
  const kept = entries.filter((entry, index) => {
    if (entry.kind !== "blank") return true;
    const next = entries[index + 1];
    const before = entries.slice(0, index).some((each) => each.kind !== "blank");
    return before && next !== undefined && next.kind !== "blank";
  });
  return kept.map((entry) => entryText(entry, indent));
}

function entryText(entry: AttrsEntry, indent: number): string {
  switch (entry.kind) {
    case "blank":
      return "";
    case "comment":
      return commentLines(entry.text).join(lineBreak(indent));
    case "inherit":
      return inheritText(entry, indent);
    case "binding":
      return bindingText(entry, indent);
  }
}

function inheritText(entry: Inherit, indent: number): string {
  const from =
    entry.from === null ? "" : ` (${flat(entry.from) ?? laidOut(entry.from, atLineStart(indent))})`;
  const line = `inherit${from} ${entry.names.join(" ")};`;
  if (entry.names.length < 4 && fits(line, atLineStart(indent))) return line;
  const inner = lineBreak(indent + 2);
  return `inherit${from}${inner}${entry.names.join(inner)}${inner};`;
}

function bindingText(entry: Binding, indent: number): string {
  const head = `${attrPath(entry.path)} =`;
  const text = rightSide(entry.value, { indent, column: head.length, tail: 1 });
  if (
    hasShortPath(entry) ||
    fits(text.split("\n", 1)[0] ?? "", { indent, column: head.length, tail: 1 })
  ) {
    return `${head}${text};`;
  }
  return `${head}${lineBreak(indent + 2)}${below(entry.value, indent + 2)};`;
}

/** Behind a short path nothing is won by beginning a long text on the next line. */
function hasShortPath(entry: Binding): boolean {
  return entry.path.length <= 4 && entry.path.every(isIdentifier);
}

/** What follows `=`, with the white space before it. */
function rightSide(expr: NixExpr, place: Place): string {
  const attached = { ...place, column: place.column + 1 };
  const line = flat(expr);
  const opens = expr.kind === "attrs" || (expr.kind === "operator" && opensLast(expr));
  if (line !== undefined && fits(line, attached) && !(opens && absorbsAny(expr))) return ` ${line}`;
  return (
    attachedText(expr, attached) ?? lineBreak(place.indent + 2) + below(expr, place.indent + 2)
  );
}

function absorbsAny(expr: NixExpr): boolean {
  return expr.kind !== "attrs" || expr.entries.length > 0;
}

/** `a // {`: two operands, the second of which opens a set. */
function opensLast(expr: OperatorExpr): boolean {
  const [, last, third] = expr.operands;
  return third === undefined && last !== undefined && last.kind === "attrs" && absorbs(last);
}

/** The expression begun on the line of its `=`, or `undefined` where it must begin below. */
function attachedText(expr: NixExpr, place: Place): string | undefined {
  if (absorbs(expr)) return ` ${expanded(expr, place)}`;
  if (absorbsBehindHead(expr)) return ` ${headed(expr, place)}`;
  switch (expr.kind) {
    case "string":
    case "path":
      return ` ${flat(expr) ?? ""}`;
    case "call": {
      const absorbed = absorbedCall(expr, place);
      return absorbed === undefined ? undefined : ` ${absorbed}`;
    }
    case "operator":
      return attachedOperator(expr, place);
    default:
      return undefined;
  }
}

function below(expr: NixExpr, indent: number): string {
  return expr.kind === "call" ? stackedCall(expr, indent) : laidOut(expr, atLineStart(indent, 1));
}

/** `x: y: {` and `with pkgs; [`: the head and the opening on one line. */
function headed(expr: NixExpr, place: Place): string {
  if (expr.kind === "with") {
    return `with ${flat(expr.scope) ?? ""}; ${expanded(expr.body, place)}`;
  }
  if (expr.kind === "lambda" && typeof expr.parameter === "string") {
    const head = `${expr.parameter}: `;
    const inner = { ...place, column: place.column + head.length };
    return (
      head + (absorbsBehindHead(expr.body) ? headed(expr.body, inner) : laidOut(expr.body, inner))
    );
  }
  return expanded(expr, place);
}

function expandedLambda(expr: LambdaExpr, place: Place): string {
  if (absorbsBehindHead(expr)) return headed(expr, place);
  const { heads, body: inner } = nameChain(expr);
  const head =
    heads.length > 0 ? heads.join(" ") : `${parameterText(expr.parameter, place.indent)}:`;
  return `${head}${lineBreak(place.indent)}${body(inner, atLineStart(place.indent, place.tail))}`;
}

/** `a: b:` of functions of plain names, and what stands behind them. */
function nameChain(expr: LambdaExpr): {
  readonly heads: readonly string[];
  readonly body: NixExpr;
} {
  const heads: string[] = [];
  let inner: NixExpr = expr;
  while (inner.kind === "lambda" && typeof inner.parameter === "string") {
    heads.push(`${inner.parameter}:`);
    inner = inner.body;
  }
  return { heads, body: heads.length > 0 ? inner : expr.body };
}

function parameterText(parameter: LambdaExpr["parameter"], indent: number): string {
  const line = flatParameter(parameter);
  if (line !== undefined || typeof parameter === "string") return line ?? "";
  const names = parameter.names.map(({ name, fallback }) => {
    if (fallback === null) return `${name},`;
    const head = `${name} ?`;
    return `${head}${rightSide(fallback, { indent: indent + 2, column: head.length, tail: 1 })},`;
  });
  return bracketed("{", [...names, ...(parameter.open ? ["..."] : [])], "}", indent);
}

function expandedIf(expr: IfExpr, indent: number): string {
  const inner = indent + 2;
  const condition = flat(expr.condition);
  const line = `if ${condition ?? ""} then`;
  const head =
    condition !== undefined && fits(line, atLineStart(indent))
      ? line
      : `if${lineBreak(inner)}${laidOut(expr.condition, atLineStart(inner))}${lineBreak(indent)}then`;
  const whenTrue = lineBreak(inner) + laidOut(expr.whenTrue, atLineStart(inner));
  const whenFalse =
    expr.whenFalse.kind === "if"
      ? ` ${expandedIf(expr.whenFalse, indent)}`
      : lineBreak(inner) + laidOut(expr.whenFalse, atLineStart(inner, 1));
  return `${head}${whenTrue}${lineBreak(indent)}else${whenFalse}`;
}

/** One argument opened over several lines, the last where it can be, and all others beside it; else `undefined`. */
function absorbedCall(expr: CallExpr, place: Place): string | undefined {
  const line = flat(expr);
  if (line !== undefined && (fits(line, place) || isSimple(expr))) return line;
  const words = [expr.callee, ...expr.args].map(flatTerm);
  for (let index = words.length - 1; index > 0; index--) {
    const before = words.slice(0, index);
    const after = words.slice(index + 1);
    const arg = expr.args[index - 1];
    if (arg === undefined || before.includes(undefined)) continue;
    if (after.includes(undefined)) return undefined;
    const text = opened(
      arg,
      `${before.join(" ")} `,
      after.map((word) => ` ${word}`).join(""),
      place,
    );
    if (text !== undefined) return text;
  }
  return undefined;
}

/** `head` and `tail` around an argument that opens on the first line and closes on the last. */
function opened(arg: NixExpr, head: string, tail: string, place: Place): string | undefined {
  const inner = { ...place, column: place.column + head.length };
  const text = openedArgument(arg, inner, tail === "");
  if (text === undefined || !text.includes("\n")) return undefined;
  const lines = text.split("\n");
  const closing = { ...place, column: (lines.at(-1) ?? "").length - place.indent };
  return fits(lines[0] ?? "", { ...inner, tail: 0 }) && fits(tail, closing)
    ? head + text + tail
    : undefined;
}

function openedArgument(arg: NixExpr, place: Place, isLast: boolean): string | undefined {
  if (absorbs(arg)) return expanded(arg, place);
  if (!needsParens(arg)) return undefined;
  return isLast ? openedParens(arg, place) : parenthesised(arg, place);
}

/** The last argument in parentheses that stay open at the end of the line. */
function openedParens(expr: NixExpr, place: Place): string {
  const [argument] = expr.kind === "call" && isPlainCall(expr) ? expr.args : [];
  if (expr.kind === "call" && argument !== undefined && absorbs(argument)) {
    return `(${flat(expr.callee) ?? ""} ${expanded(argument, place)})`;
  }
  if (expr.kind === "lambda" && typeof expr.parameter === "string" && absorbs(expr.body)) {
    return `(${expr.parameter}: ${expanded(expr.body, place)})`;
  }
  const inner = laidOut(expr, atLineStart(place.indent + 2));
  return `(${lineBreak(place.indent + 2)}${inner}${lineBreak(place.indent)})`;
}

/** The function with what fits beside it, and each further argument on a line of its own. */
function stackedCall(expr: CallExpr, indent: number): string {
  let head = term(expr.callee, atLineStart(indent));
  const args = [...expr.args];
  while (args[0] !== undefined) {
    const word = flatTerm(args[0]);
    if (word === undefined || !fits(`${head} ${word}`, atLineStart(indent))) break;
    head += ` ${word}`;
    args.shift();
  }
  return (
    head + args.map((arg) => lineBreak(indent + 2) + stackedArgument(arg, indent + 2)).join("")
  );
}

function stackedArgument(expr: NixExpr, indent: number): string {
  const line = flatTerm(expr);
  if (line !== undefined && fits(line, atLineStart(indent, 1))) return line;
  if (!needsParens(expr)) return expanded(expr, atLineStart(indent));
  const inner = laidOut(expr, atLineStart(indent + 2));
  return `(${lineBreak(indent + 2)}${inner}${lineBreak(indent)})`;
}

/** Calls that nixfmt leaves on one line however long they are. */
function isSimple(expr: CallExpr): boolean {
  return expr.args.length <= 2 && [expr.callee, ...expr.args].every(isSimpleTerm);
}

function isSimpleTerm(expr: NixExpr): boolean {
  if (expr.kind === "string" || expr.kind === "path") return true;
  if (expr.kind === "int" || expr.kind === "float") return expr.value >= 0;
  return expr.kind === "reference" && expr.path.every(isIdentifier);
}

/** The expression as one argument, element or base, in parentheses where it needs them. */
function term(expr: NixExpr, place: Place): string {
  return needsParens(expr) ? parenthesised(expr, place) : laidOut(expr, place);
}

function parenthesised(expr: NixExpr, place: Place): string {
  const line = flat(expr);
  if (line !== undefined && fits(`(${line})`, place)) return `(${line})`;
  const inner = { ...place, column: place.column + 1, tail: place.tail + 1 };
  if (absorbsBehindHead(expr)) return `(${headed(expr, inner)})`;
  if (expr.kind === "call") {
    const absorbed = absorbedCall(expr, inner);
    if (absorbed !== undefined) return `(${absorbed})`;
    return `(${stackedCall(expr, place.indent)}${lineBreak(place.indent)})`;
  }
  const indent = place.indent + 2;
  return `(${lineBreak(indent)}${laidOut(expr, atLineStart(indent))}${lineBreak(place.indent)})`;
}

/** An operator behind `=`: what opens a set or list stays there. */
function attachedOperator(expr: OperatorExpr, place: Place): string | undefined {
  const [first, last] = expr.operands;
  if (first === undefined || last === undefined || !concatenates(expr)) return undefined;
  if (absorbs(first)) return ` ${expandedOperator(expr, place)}`;
  if (expr.operands.length !== 2 || !absorbs(last)) return undefined;
  const head = flatTerm(first);
  const line = `${head ?? ""} ${expr.operator} ${last.kind === "list" ? "[" : "{"}`;
  if (head === undefined || !fits(line, place)) return undefined;
  return ` ${head} ${expr.operator} ${expanded(last, place)}`;
}

function concatenates(expr: OperatorExpr): boolean {
  return expr.operator === "++" || expr.operator === "//" || expr.operator === "+";
}

/** Each operand but the first on a line that begins with the operator. */
function expandedOperator(expr: OperatorExpr, place: Place): string {
  const { indent } = place;
  const head = `${expr.operator} `;
  const inner = { indent, column: head.length, tail: place.tail };
  return expr.operands
    .map((operand, index) => {
      const at = index === 0 ? place : inner;
      const opens = operand.kind === "attrs" || (index === 0 && absorbs(operand));
      const text = opens ? expanded(operand, at) : operandText(operand, at);
      return index === 0 ? text : lineBreak(indent) + head + text;
    })
    .join("");
}

function operandText(expr: NixExpr, place: Place): string {
  return needsParensAsOperand(expr) ? parenthesised(expr, place) : laidOut(expr, place);
}
