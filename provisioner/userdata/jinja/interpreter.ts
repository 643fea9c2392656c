import * as jinja from "@huggingface/jinja";
import { blocksOfParts, linesOfBlocks, type Token, watchTokens } from "./places.ts";
import { pythonText, type Value } from "./python-text.ts";
import { problemOf, TemplateProblem } from "./template-problem.ts";
import { tokensOf } from "./tokens.ts";

/** What is used of the library; its own types import files that they do not name. */
interface Library {
  readonly Environment: new (parent?: Scope) => Scope;
  readonly Interpreter: new (
    scope: Scope,
  ) => {
    run(program: Node): Value;
    evaluate(node: Node | undefined, scope: Scope): Value;
  };
  parse(tokens: readonly Token[]): Node;
}

interface Scope {
  set(name: string, value: unknown): unknown;
}

const { Environment, Interpreter, parse } = jinja as unknown as Library;

/** What stands for a variable that there is not, before its name; as cloud-init prints it. */
export const missingPrefix = "CI_MISSING_JINJA_VAR/";

/** A variable that a template uses and that there is not. */
export interface MissingVariable {
  /** That of the variable, or of the last key that led to it. */
  readonly name: string;
  /** Whether its name stands in the text; otherwise it was taken for nothing, as in a condition. */
  readonly isPrinted: boolean;
}

/** What a template comes to. */
export interface RenderedTemplate {
  readonly text: string;
  /** In the order in which they were come by, each once. */
  readonly missing: readonly MissingVariable[];
}

/** More than any template of a person: one that needs them goes round in circles. */
const mostSteps = 2_000_000;
const longestRange = 100_000;
const mostCharacters = 16 * 1024 * 1024;

/** A node of the library's tree. */
interface Node {
  readonly type: string;
  readonly [part: string]: unknown;
}

/** Filters that make a text of what they are given. */
const filtersOfText: ReadonlySet<string> = new Set([
  ...["capitalize", "indent", "lower", "replace", "safe", "string", "title", "trim", "upper"],
]);

/**
 * Renders a template over variables as cloud-init does: statements take the newline that follows them
 * with them, values print as Python prints them, a variable that there is not leaves its name behind
 * {@link missingPrefix}, and reaching into one is an error. The tree is interpreted over maps of its own:
 * no code is made of it, and nothing of JavaScript can be named in it. Time and memory are the caller's
 * to bound. Throws a {@link TemplateProblem}; `atLine` is told the line before.
 */
export function renderTemplate(
  template: string,
  variables: { readonly [name: string]: unknown },
  atLine: (line: number | undefined) => void = () => {},
): RenderedTemplate {
  const lines = template.replace(/\r\n?/g, "\n"); // as Jinja2 reads it
  const { text: source, raw } = takeRaw(lines);
  const globals = new Environment();
  for (const [name, value] of Object.entries({ ...constants, ...raw })) globals.set(name, value);
  const scope = new Environment(globals);
  for (const [name, value] of Object.entries(variables)) scope.set(name, value);
  const lineOf = (block = -1) => linesOfBlocks(lines)[block];
  const { program, tokens } = parseTemplate(source, (block) => atLine(lineOf(block)));
  const blocks = blocksOfParts(tokens);
  const interpreter = new CloudInitInterpreter(program, scope);
  try {
    const text = String(interpreter.run(program).value);
    const missing = [...interpreter.missing].map(([name, isPrinted]) => ({ name, isPrinted }));
    return { text: source.endsWith("\n") ? `${text}\n` : text, missing };
  } catch (error) {
    // Without one node for each block no line is to be trusted.
    if (interpreter.parts === blocks.length) atLine(lineOf(blocks[interpreter.at]));
    throw problemOf(error, "other");
  }
}

/** The tree of a template; where it is none, `atBlock` is told the block that it was read up to. */
function parseTemplate(
  source: string,
  atBlock: (block: number) => void,
): { readonly program: Node; readonly tokens: readonly Token[] } {
  let reached: (() => number) | undefined;
  try {
    const tokens = tokensOf(source);
    const watched = watchTokens(tokens);
    reached = watched.reached;
    return { program: parse(watched.tokens), tokens };
  } catch (error) {
    if (reached !== undefined) atBlock(reached());
    throw problemOf(error, "syntax");
  }
}

/** What stands between `raw` and `endraw`, which the library does not know, as variables. */
function takeRaw(template: string): {
  readonly text: string;
  readonly raw: Readonly<Record<string, string>>;
} {
  const raw: Record<string, string> = {};
  const block =
    /\{%([-+]?)\s*raw\s*(-?)%\}([\s\S]*?)\{%([-+]?)\s*endraw\s*(?:(-)%\}|(?:\+%\}|%\}\n?))/g;
  const text = template.replace(block, (_all, before, first, inside, last, after = "") => {
    const name = `__raw_${Object.keys(raw).length}`;
    const left = first === "-" ? inside.trimStart() : inside;
    raw[name] = last === "-" ? left.trimEnd() : left;
    return `{{${before === "-" ? "-" : ""} ${name} ${after}}}`;
  });
  return { text, raw };
}

const constants = {
  ...{ true: true, True: true, false: false, False: false, none: null, None: null },
  range,
};

function range(...given: readonly number[]): readonly number[] {
  const [first = 0, second, step = 1] = given;
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= longestRange))
    throw new TemplateProblem("limits", `range: more than ${longestRange} numbers`);
  return Array.from({ length }, (_, index) => start + index * step);
}

/** Tests that ask whether there is a variable. */
const testsOfPresence: ReadonlySet<unknown> = new Set(["defined", "undefined"]);

const emptyList: Node = { type: "ArrayLiteral", value: [] };

class CloudInitInterpreter extends Interpreter {
  /** Nodes whose value becomes text. */
  readonly #printed = new Set<unknown>();
  /** Nodes whose value is gone through. */
  readonly #walked = new Set<unknown>();
  /** Nodes whose value is reached into. */
  readonly #reached = new Set<unknown>();
  /** Nodes that are a part of the template each. */
  readonly #partsIn = new Set<unknown>();
  /** Parts of the template, statements before what is in them, with their number. */
  readonly #parts = new Map<unknown, number>();
  /** Number of the part that was come to last. */
  at = -1;
  /** Nodes that may have no value: the template says what is then. */
  readonly #optional = new Set<unknown>();
  /** Names of variables that there are not, and whether they are printed. */
  readonly missing = new Map<string, boolean>();
  #steps = 0;
  #characters = 0;

  constructor(program: Node, scope: Scope) {
    super(scope);
    this.#note(program);
  }

  override evaluate(node: Node | undefined, scope: Scope): Value {
    this.#steps += 1;
    if (this.#steps > mostSteps)
      throw new TemplateProblem("limits", `more than ${mostSteps} steps`);
    this.at = this.#parts.get(node) ?? this.at;
    const asInPython =
      node === undefined ? undefined : (this.#divide(node, scope) ?? this.#compare(node, scope));
    const value = asInPython ?? super.evaluate(node, scope);
    const isMissing = value.type === "UndefinedValue";
    if (isMissing) this.#tellMissing(node, scope);
    if (isMissing && this.#walked.has(node)) return super.evaluate(emptyList, scope);
    if (isMissing && this.#reached.has(node))
      throw new TemplateProblem(
        "undefined",
        `${JSON.stringify(this.#nameOf(node, scope))} is undefined`,
      );
    if (!this.#printed.has(node)) return value;
    const text = isMissing ? this.#standIn(node, scope) : pythonText(value);
    this.#characters += text.length;
    if (this.#characters > mostCharacters)
      throw new TemplateProblem("limits", `more than ${mostCharacters} characters`);
    return super.evaluate({ type: "StringLiteral", value: text }, scope);
  }

  /** How many parts of the template have a number. */
  get parts(): number {
    return this.#parts.size;
  }

  /** What Python divides to; `undefined` for whatever is no division of numbers. */
  #divide(node: Node, scope: Scope): Value | undefined {
    const operator = (node["operator"] as { readonly value?: unknown } | undefined)?.value;
    const division = node.type === "BinaryExpression" ? divisions.get(operator) : undefined;
    if (division === undefined) return undefined;
    const left = this.evaluate(node["left"] as Node, scope);
    const right = this.evaluate(node["right"] as Node, scope);
    if (!isNumber(left) || !isNumber(right)) return undefined;
    if (right.value === 0) throw new TemplateProblem("division", "division by zero");
    const isFloat = operator === "/" || [left, right].some(({ type }) => type === "FloatValue");
    const value = division(left.value, right.value);
    return super.evaluate({ type: isFloat ? "FloatLiteral" : "IntegerLiteral", value }, scope);
  }

  /** What Python says of a text and what is none: they differ. `undefined` for whatever is no such comparison. */
  #compare(node: Node, scope: Scope): Value | undefined {
    const operator = (node["operator"] as { readonly value?: unknown } | undefined)?.value;
    const isComparison = operator === "==" || operator === "!=";
    if (node.type !== "BinaryExpression" || !isComparison) return undefined;
    const sides = ["left", "right"].map((side) => this.evaluate(node[side] as Node, scope));
    const texts = sides.filter(({ value }) => typeof value === "string").length;
    if (texts !== 1) return undefined;
    const name = operator === "!=" ? "true" : "false";
    return super.evaluate({ type: "Identifier", value: name }, scope);
  }

  /** What is printed for an undefined value; nothing for the branch that an `if` does not have. */
  #standIn(node: Node | undefined, scope: Scope): string {
    const name = this.#nameOf(node, scope);
    return name === "" ? "" : `${missingPrefix}${name}`;
  }

  #tellMissing(node: Node | undefined, scope: Scope): void {
    const object = node?.["object"] as Node | undefined;
    const isOfLoop = object?.type === "Identifier" && object["value"] === "loop"; // `loop.nextitem`
    if (this.#optional.has(node) || isOfLoop) return;
    const name = this.#nameOf(node, scope);
    if (name === "") return;
    this.missing.set(name, this.#printed.has(node) || this.missing.get(name) === true);
  }

  /** What an undefined value is called: the variable, or the last key that led to it. */
  #nameOf(node: Node | undefined, scope: Scope): string {
    if (node?.type === "Identifier") return String(node["value"]);
    if (node?.type !== "MemberExpression") return "";
    const property = node["property"] as Node;
    if (node["computed"] !== true) return String(property["value"]);
    return String(super.evaluate(property, scope).value);
  }

  #note(node: Node): void {
    if (this.#partsIn.has(node)) this.#parts.set(node, this.#parts.size);
    for (const part of ["body", "alternate", "defaultBlock"])
      for (const statement of nodesIn(node[part])) {
        this.#partsIn.add(statement);
        if (isExpression(statement)) this.#print(statement);
      }
    if (node.type === "For") this.#walked.add(node["iterable"]);
    if (node.type === "MemberExpression") this.#reached.add(node["object"]);
    if (node.type === "FilterExpression" && filterOf(node) === "default")
      this.#optional.add(node["operand"]);
    if (node.type === "TestExpression" && testsOfPresence.has((node["test"] as Node)["value"]))
      this.#optional.add(node["operand"]);
    const operator = (node["operator"] as { readonly value?: unknown } | undefined)?.value;
    if (node.type === "BinaryExpression" && operator === "~")
      for (const side of ["left", "right"]) this.#print(node[side]);
    if (node.type === "FilterExpression" && filtersOfText.has(filterOf(node)))
      this.#print(node["operand"]);
    for (const part of Object.values(node)) for (const inner of nodesIn(part)) this.#note(inner);
  }

  #print(node: unknown): void {
    this.#printed.add(node);
  }
}

const divisions: ReadonlyMap<unknown, (left: number, right: number) => number> = new Map([
  ["/", (left, right) => left / right],
  ["//", (left, right) => Math.floor(left / right)],
  ["%", remainder],
]);

/** With the sign of the divisor, as Python has it. */
function remainder(left: number, right: number): number {
  const rest = left % right;
  return rest !== 0 && rest < 0 !== right < 0 ? rest + right : rest;
}

function isNumber(value: Value): value is Value & { readonly value: number } {
  return typeof value.value === "number";
}

function filterOf({ filter }: Node): string {
  const named = filter as Node;
  const name = named.type === "CallExpression" ? (named["callee"] as Node) : named;
  return String(name["value"]);
}

const statements: ReadonlySet<string> = new Set([
  ...["Program", "Set", "If", "For", "Macro", "CallStatement", "Break", "Continue", "Comment"],
  "FilterStatement",
]);

function isExpression({ type }: Node): boolean {
  return !statements.has(type);
}

function nodesIn(part: unknown): readonly Node[] {
  if (part instanceof Map) return [...part].flat().flatMap(nodesIn);
  if (Array.isArray(part)) return part.flatMap(nodesIn);
  const isNode =
    typeof part === "object" && part !== null && typeof (part as Node).type === "string";
  return isNode ? [part as Node] : [];
}
