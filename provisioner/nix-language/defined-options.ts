import { type AttrsEntry, type CallExpr, list, type NixExpr, type OperatorExpr } from "./tree.ts";

/** What sort of value an expression has, as far as the tree shows it; `unknown` fits everything. */
export type ValueKind =
  | "null"
  | "bool"
  | "int"
  | "float"
  | "string"
  | "path"
  | "list"
  | "attrs"
  | "package"
  | "function"
  | "unknown";

/** A leaf of a module: an option, or an attribute inside an option's value. */
export interface DefinedOption {
  readonly path: readonly string[];
  readonly kind: ValueKind;
  /** The text of a string without interpolation. */
  readonly text?: string;
  /** What each element of a list defines, with paths that begin at the element. */
  readonly elements?: readonly (readonly DefinedOption[])[];
}

/**
 * Every option that a module (or a value) sets, in order, each attribute set resolved into its
 * leaves. Looks through the heads of functions, `let`, `with`, both branches of `if`, and the
 * module system's conditions, priorities, orders and merges; leaves out what is no option
 * (`imports`, `options`, `disabledModules`).
 */
export function definedOptions(expr: NixExpr): readonly DefinedOption[] {
  return ofModule(expr, false);
}

const moduleKeys = new Set(["imports", "options", "disabledModules", "_file", "key", "meta"]);

function ofModule(expr: NixExpr, withPkgs: boolean): readonly DefinedOption[] {
  if (expr.kind === "lambda") return ofModule(expr.body, withPkgs);
  if (expr.kind !== "attrs") return inner(expr, [], withPkgs, ofModule);
  return expr.entries.flatMap((entry) => {
    if (entry.kind !== "binding") return ofEntry(entry, [], withPkgs);
    const [first = "", ...rest] = entry.path;
    if (moduleKeys.has(first)) return [];
    if (first !== "config") return ofEntry(entry, [], withPkgs);
    return rest.length === 0
      ? ofModule(entry.value, withPkgs)
      : ofValue(entry.value, rest, withPkgs);
  });
}

function ofValue(
  expr: NixExpr,
  path: readonly string[],
  withPkgs: boolean,
): readonly DefinedOption[] {
  switch (expr.kind) {
    case "attrs": {
      const entries = expr.entries.flatMap((entry) => ofEntry(entry, path, withPkgs));
      return entries.length === 0 ? [{ path, kind: "attrs" }] : entries;
    }
    case "list":
      return [
        { path, kind: "list", elements: expr.items.flatMap((item) => element(item, withPkgs)) },
      ];
    case "string":
      return [{ path, kind: "string", ...literalText(expr.parts) }];
    case "lambda":
      return [{ path, kind: "function" }];
    case "reference":
      return [{ path, kind: isPackage(expr.path, withPkgs) ? "package" : "unknown" }];
    case "null":
    case "bool":
    case "int":
    case "float":
    case "path":
      return [{ path, kind: expr.kind }];
    default:
      return inner(expr, path, withPkgs, (value, packages) => ofValue(value, path, packages));
  }
}

function ofEntry(
  entry: AttrsEntry,
  path: readonly string[],
  withPkgs: boolean,
): readonly DefinedOption[] {
  if (entry.kind === "binding") return ofValue(entry.value, [...path, ...entry.path], withPkgs);
  if (entry.kind !== "inherit") return [];
  return entry.names.map((name) => ({ path: [...path, name], kind: "unknown" }));
}

function element(
  item: NixExpr | { readonly kind: "comment" },
  withPkgs: boolean,
): readonly (readonly DefinedOption[])[] {
  return item.kind === "comment" ? [] : [ofValue(item, [], withPkgs)];
}

function literalText(parts: readonly (string | NixExpr)[]): { readonly text?: string } {
  const [only = ""] = parts;
  return parts.length <= 1 && typeof only === "string" ? { text: only } : {};
}

function isPackage(path: readonly string[], withPkgs: boolean): boolean {
  return path[0] === "pkgs" ? path.length > 1 : withPkgs && !notPackages.has(path[0] ?? "");
}

const notPackages = new Set(["config", "lib", "options", "modulesPath"]);

type Visit = (expr: NixExpr, withPkgs: boolean) => readonly DefinedOption[];

/** What stands inside expressions that only choose, name or decorate a value. */
function inner(
  expr: NixExpr,
  path: readonly string[],
  withPkgs: boolean,
  visit: Visit,
): readonly DefinedOption[] {
  switch (expr.kind) {
    case "let":
      return visit(expr.body, withPkgs);
    case "with": {
      const isPkgs = expr.scope.kind === "reference" && expr.scope.path.join(".") === "pkgs";
      return visit(expr.body, withPkgs || isPkgs);
    }
    case "if":
      return [...visit(expr.whenTrue, withPkgs), ...visit(expr.whenFalse, withPkgs)];
    case "call":
      return ofCall(expr, path, withPkgs, visit);
    case "operator":
      return ofOperator(expr, path, visit, withPkgs);
    default:
      return [{ path, kind: "unknown" }];
  }
}

/** Functions of nixpkgs' lib whose last argument is the value. */
const decorations: Readonly<Record<string, number>> = {
  mkIf: 2,
  mkForce: 1,
  mkDefault: 1,
  mkOverride: 2,
  mkBefore: 1,
  mkAfter: 1,
  mkOrder: 2,
  mkVMOverride: 1,
  mkImageMediaOverride: 1,
  optionals: 2,
  optionalAttrs: 2,
  optionalString: 2,
};

function ofCall(
  expr: CallExpr,
  path: readonly string[],
  withPkgs: boolean,
  visit: Visit,
): readonly DefinedOption[] {
  const name = libFunction(expr.callee);
  const last = expr.args.at(-1);
  if (name === undefined || last === undefined) return [{ path, kind: "unknown" }];
  if (name === "mkMerge" && last.kind === "list" && expr.args.length === 1) {
    return last.items.flatMap((item) => (item.kind === "comment" ? [] : visit(item, withPkgs)));
  }
  if (name === "optional" && expr.args.length === 2) return visit(list([last]), withPkgs);
  if (decorations[name] === expr.args.length) return visit(last, withPkgs);
  return [{ path, kind: "unknown" }];
}

function libFunction(callee: NixExpr): string | undefined {
  if (callee.kind !== "reference") return undefined;
  const [first, second, third] = callee.path;
  if (first === "lib" && third === undefined) return second;
  return second === undefined ? first : undefined;
}

function ofOperator(
  expr: OperatorExpr,
  path: readonly string[],
  visit: Visit,
  withPkgs: boolean,
): readonly DefinedOption[] {
  switch (expr.operator) {
    case "&&":
    case "||":
    case "==":
      return [{ path, kind: "bool" }];
    case "//":
    case "++":
      return expr.operands.flatMap((operand) => visit(operand, withPkgs));
    case "+":
      return [{ path, kind: "unknown" }];
  }
}
