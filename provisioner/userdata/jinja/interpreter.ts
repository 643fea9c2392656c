import { divide } from "./division.ts";
import { areEqual, isIn } from "./equality.ts";
import { Interpreter, type Node, type Scope } from "./library.ts";
import { pythonInt } from "./python-int.ts";
import { pythonText, type Value } from "./python-text.ts";
import { capitalized, titled } from "./recasing.ts";
import { TemplateProblem } from "./template-problem.ts";

/** What stands for a variable that there is not, before its name; as cloud-init prints it. */
const missingPrefix = "CI_MISSING_JINJA_VAR/";

/** How a variable that there is not was come by. */
export interface Missing {
  readonly isPrinted: boolean;
  /** Number of the part of the template that came by it first. */
  readonly part: number;
}

/** More than any template of a person: one that needs them goes round in circles. */
const mostSteps = 2_000_000;
const mostCharacters = 16 * 1024 * 1024;

/** Filters that make a text of what they are given. */
const filtersOfText: ReadonlySet<string> = new Set([
  ...["capitalize", "indent", "lower", "replace", "safe", "string", "title", "trim", "upper"],
]);

/** Names that Jinja2 has for a filter beside the one that the library knows. */
const longNames: Readonly<Record<string, string>> = { d: "default", count: "length" };

/** Filters that change the letters of a text. */
const recasing: Readonly<Record<string, (text: string) => string>> = {
  capitalize: capitalized,
  title: titled,
};

/** Filters that take no variable for an empty list. */
const filtersOfLists: ReadonlySet<string> = new Set(["join", "length", "list"]);

/** Tests that ask whether there is a variable. */
const testsOfPresence: ReadonlySet<unknown> = new Set(["defined", "undefined"]);

/** Keys of `loop` that have no value at one of its ends. */
const neighbours: ReadonlySet<unknown> = new Set(["previtem", "nextitem"]);

/**
 * Evaluates a tree as cloud-init's Jinja2 does. Each part of an expression is evaluated once: what the
 * library has yet to do with its value is given to it as a node that is known already.
 */
export class CloudInitInterpreter extends Interpreter {
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
  /** Number of the part that is evaluated; after a failure the one that failed. */
  at = -1;
  /** Nodes that may have no value: the template says what is then. */
  readonly #optional = new Set<unknown>();
  /** Operators that go on with the right side of the comparison before them. */
  readonly #chained: ReadonlySet<unknown>;
  /** What undefined values are called; nothing for one that a template chose to have. */
  readonly #names = new WeakMap<Value, string>();
  /** Variables that there are not, by name. */
  readonly missing = new Map<string, Missing>();
  #steps = 0;
  #characters = 0;

  constructor(program: Node, scope: Scope, chained: ReadonlySet<unknown>) {
    super(scope);
    this.#chained = chained;
    this.#note(program);
  }

  override evaluate(node: Node | undefined, scope: Scope): Value {
    if (node?.type === "Known") return node["value"] as Value;
    this.#countStep();
    const outer = this.at;
    this.at = this.#parts.get(node) ?? outer;
    const value = this.#settle(node, this.#compute(node, scope), scope);
    this.at = outer;
    return value;
  }

  /** How many parts of the template have a number. */
  get parts(): number {
    return this.#parts.size;
  }

  #countStep(): void {
    this.#steps += 1;
    if (this.#steps > mostSteps)
      throw new TemplateProblem("limits", `more than ${mostSteps} steps`);
  }

  #compute(node: Node | undefined, scope: Scope): Value {
    switch (node?.type) {
      case "BinaryExpression":
        return this.#binary(node, scope).value;
      case "MemberExpression":
        return this.#member(node, scope);
      case "FilterExpression":
        return this.#filter(node, scope);
      case "SelectExpression":
        return this.#named(super.evaluate(node, scope), "");
      case "Identifier":
        return this.#named(super.evaluate(node, scope), String(node["value"]));
      default:
        return super.evaluate(node, scope);
    }
  }

  /** The value as the place of its node needs it: a text, a list, or not undefined. */
  #settle(node: Node | undefined, value: Value, scope: Scope): Value {
    if (value.type === "IntegerValue" && !Number.isSafeInteger(value.value))
      throw new TemplateProblem("number", "a whole number is beyond 2**53");
    const isMissing = value.type === "UndefinedValue";
    if (isMissing && !this.#optional.has(node)) this.#tellMissing(value, false);
    if (isMissing && this.#walked.has(node)) return this.#list([], scope);
    if (isMissing && this.#reached.has(node)) {
      const name = this.#names.get(value) ?? "";
      throw new TemplateProblem("undefined", `${JSON.stringify(name)} is undefined`);
    }
    return this.#printed.has(node) ? this.#print(value, scope) : value;
  }

  #print(value: Value, scope: Scope): Value {
    const text = this.#text(value, scope);
    this.#characters += String(text.value).length;
    if (this.#characters > mostCharacters)
      throw new TemplateProblem("limits", `more than ${mostCharacters} characters`);
    return text;
  }

  #text(value: Value, scope: Scope): Value {
    const text = value.type === "UndefinedValue" ? this.#standIn(value) : pythonText(value);
    return super.evaluate({ type: "StringLiteral", value: text }, scope);
  }

  /** The value of an operation, and that of its right side where it was needed. */
  #binary(node: Node, scope: Scope): { readonly value: Value; readonly right?: Value | undefined } {
    const operator = operatorOf(node);
    if (operator === "and" || operator === "or") return { value: super.evaluate(node, scope) };
    const before = this.#chained.has(node["operator"])
      ? this.#binary(node["left"] as Node, scope)
      : undefined;
    if (before !== undefined && (before.value.value !== true || before.right === undefined))
      return { value: before.value };
    const left = before?.right ?? this.evaluate(node["left"] as Node, scope);
    const right = this.evaluate(node["right"] as Node, scope);
    return { value: this.#operate(node, left, right, scope), right };
  }

  /** As Python computes with two values; where both agree, as the library does. */
  #operate(node: Node, left: Value, right: Value, scope: Scope): Value {
    const operator = operatorOf(node);
    if (operator === "==" || operator === "!=")
      return this.#boolean(areEqual(left, right) === (operator === "=="), scope);
    const isInside = operator === "in" || operator === "not in" ? isIn(left, right) : undefined;
    if (isInside !== undefined) return this.#boolean(isInside === (operator === "in"), scope);
    const quotient = divide(operator, left, right);
    if (quotient !== undefined) {
      const { isFloat, value } = quotient;
      return super.evaluate({ type: isFloat ? "FloatLiteral" : "IntegerLiteral", value }, scope);
    }
    const texts = [left, right].filter(({ type }) => type === "StringValue").length;
    if (operator === "+" && texts === 1)
      throw new TemplateProblem("other", "a text is added to what is none");
    return super.evaluate({ ...node, left: known(left), right: known(right) }, scope);
  }

  /** The key is evaluated here, because an undefined value is called by it. */
  #member(node: Node, scope: Scope): Value {
    const object = this.evaluate(node["object"] as Node, scope);
    const property = node["property"] as Node;
    const isKey = node["computed"] === true && property.type !== "SliceExpression";
    const key = isKey ? known(this.evaluate(property, scope)) : property;
    const name = String(isKey ? (key["value"] as Value).value : property["value"]);
    const isLength = name === "length" && lists.has(object.type); // JavaScript's, not Python's
    const reached = { ...node, object: known(object), property: key };
    const value = super.evaluate(isLength ? undefined : reached, scope);
    const { type, value: variable } = node["object"] as Node;
    const isNeighbour = type === "Identifier" && variable === "loop" && neighbours.has(name);
    return this.#named(value, isNeighbour ? "" : name);
  }

  /** What the library does otherwise than Jinja2, or calls otherwise, is done here. */
  #filter(node: Node, scope: Scope): Value {
    const filter = filterOf(node);
    if (filter === "join") return this.#join(node, scope);
    if (filter === "int") return this.#int(node, scope);
    const recase = recasing[filter];
    if (recase !== undefined) {
      const text = this.evaluate(node["operand"] as Node, scope);
      return super.evaluate({ type: "StringLiteral", value: recase(String(text.value)) }, scope);
    }
    return super.evaluate(withLongName(node), scope);
  }

  /** As Python's `int`, with the value that is taken where there is no number; 0 if none is named. */
  #int(node: Node, scope: Scope): Value {
    const operand = this.evaluate(node["operand"] as Node, scope);
    const given = ((node["filter"] as Node)["args"] ?? []) as readonly Node[];
    const [first] = given;
    const isKeyword = first?.type === "KeywordArgumentExpression";
    const isDefault = !isKeyword || (first["key"] as Node)["value"] === "default";
    if (given.length > 1 || !isDefault)
      throw new TemplateProblem("other", "int: more than what stands for no number is not known");
    const value = pythonInt(operand);
    if (value !== undefined) return super.evaluate({ type: "IntegerLiteral", value }, scope);
    if (first !== undefined) {
      return this.evaluate(isKeyword ? (first["value"] as Node) : first, scope);
    }
    return super.evaluate({ type: "IntegerLiteral", value: 0 }, scope);
  }

  /** Joins what Python's `str` makes of the items. */
  #join(node: Node, scope: Scope): Value {
    const operand = this.evaluate(node["operand"] as Node, scope);
    const given = ((node["filter"] as Node)["args"] ?? []) as readonly Node[];
    if (given.length > 1 || given[0]?.type === "KeywordArgumentExpression")
      throw new TemplateProblem("other", "join: more than what stands between is not known");
    const items =
      lists.has(operand.type) && Array.isArray(operand.value) ? operand.value : undefined;
    const texts = items?.map((item: Value) => this.#text(item, scope));
    const joined = texts === undefined ? operand : this.#list(texts, scope);
    return super.evaluate({ ...node, operand: known(joined) }, scope);
  }

  #list(items: readonly Value[], scope: Scope): Value {
    return super.evaluate({ type: "ArrayLiteral", value: items.map(known) }, scope);
  }

  #boolean(value: boolean, scope: Scope): Value {
    const argument: Node = { type: "IntegerLiteral", value: value ? 0 : 1 };
    return super.evaluate({ type: "UnaryExpression", operator: { value: "not" }, argument }, scope);
  }

  /** Calls an undefined value by where it was found, once: it keeps its name in another variable. */
  #named(value: Value, name: string): Value {
    if (value.type === "UndefinedValue" && !this.#names.has(value)) this.#names.set(value, name);
    return value;
  }

  /** What is printed for an undefined value; nothing for the branch that an `if` does not have. */
  #standIn(value: Value): string {
    this.#tellMissing(value, true);
    const name = this.#names.get(value) ?? "";
    return name === "" ? "" : `${missingPrefix}${name}`;
  }

  #tellMissing(value: Value, isPrinted: boolean): void {
    const name = this.#names.get(value) ?? "";
    if (name === "") return;
    const before = this.missing.get(name);
    const part = before?.part ?? this.at;
    this.missing.set(name, { isPrinted: isPrinted || before?.isPrinted === true, part });
  }

  #note(node: Node): void {
    if (this.#partsIn.has(node)) this.#parts.set(node, this.#parts.size);
    for (const part of ["body", "alternate", "defaultBlock"])
      for (const statement of nodesIn(node[part])) {
        this.#partsIn.add(statement);
        if (isExpression(statement)) this.#printed.add(statement);
      }
    if (node.type === "For") this.#walked.add(iterableOf(node));
    if (node.type === "MemberExpression") this.#reached.add(node["object"]);
    if (node.type === "FilterExpression") this.#noteFilter(filterOf(node), node["operand"]);
    if (node.type === "TestExpression" && testsOfPresence.has((node["test"] as Node)["value"]))
      this.#optional.add(node["operand"]);
    if (node.type === "BinaryExpression" && operatorOf(node) === "~")
      for (const side of ["left", "right"]) this.#printed.add(node[side]);
    for (const part of Object.values(node)) for (const inner of nodesIn(part)) this.#note(inner);
  }

  #noteFilter(filter: string, operand: unknown): void {
    if (filter === "default") this.#optional.add(operand);
    if (filtersOfLists.has(filter)) this.#walked.add(operand);
    if (filter === "tojson" || filter === "int") this.#reached.add(operand);
    if (filtersOfText.has(filter)) this.#printed.add(operand);
  }
}

/** A node that has its value already. */
function known(value: Value): Node {
  return { type: "Known", value };
}

const lists: ReadonlySet<string> = new Set(["ArrayValue", "TupleValue", "StringValue"]);

function operatorOf(node: Node): unknown {
  return (node["operator"] as { readonly value?: unknown }).value;
}

/** What a loop goes through, without its condition. */
function iterableOf(loop: Node): unknown {
  const iterable = loop["iterable"] as Node;
  return iterable.type === "SelectExpression" ? iterable["lhs"] : iterable;
}

/** The name of a filter, written out. */
function filterOf({ filter }: Node): string {
  const name = String(nameNode(filter as Node)["value"]);
  return longNames[name] ?? name;
}

function nameNode(filter: Node): Node {
  return filter.type === "CallExpression" ? (filter["callee"] as Node) : filter;
}

/** The library knows the long names alone, and no `default` without one. */
function withLongName(node: Node): Node {
  const filter = node["filter"] as Node;
  const name = { ...nameNode(filter), value: filterOf(node) };
  if (filter.type === "CallExpression") return { ...node, filter: { ...filter, callee: name } };
  if (name.value !== "default") return { ...node, filter: name };
  const args = [{ type: "StringLiteral", value: "" }];
  return { ...node, filter: { type: "CallExpression", callee: name, args } };
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
