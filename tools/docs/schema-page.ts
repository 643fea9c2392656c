import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The parts of a JSON Schema that a page shows. */
interface Node {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly title?: string;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly pattern?: string;
  readonly required?: readonly string[];
  /** `true` for a key that one of `allOf` describes. */
  readonly properties?: Readonly<Record<string, Node | true>>;
  readonly additionalProperties?: boolean | Node;
  readonly items?: Node;
  readonly oneOf?: readonly Node[];
  readonly anyOf?: readonly Node[];
  readonly allOf?: readonly Node[];
  readonly $defs?: Readonly<Record<string, Node>>;
}

type Definitions = Readonly<Record<string, Node>>;

/** A page that lists every key of a schema of this repository, with its kind and an example. */
export function schemaPage(title: string, intro: string, schemaFile: string): string {
  return pageOf([
    `# ${title}`,
    `Made by \`npm run docs\` from \`${schemaFile}\`.`,
    ...schemaSections(schemaFile, intro),
  ]);
}

/** The keys of a schema of this repository: its description, its own keys, and those of its parts. */
export function schemaSections(schemaFile: string, intro = ""): readonly string[] {
  const file = join(import.meta.dirname, "../..", schemaFile);
  const schema = JSON.parse(readFileSync(file, "utf8")) as Node;
  const definitions = Object.entries(schema.$defs ?? {});
  return [
    schema.description ?? "",
    intro,
    table(schema, schema.$defs ?? {}),
    ...definitions.map(
      ([name, node]) => `## ${heading(name)}\n\n${section(node, schema.$defs ?? {})}`,
    ),
  ];
}

/** Paragraphs as a page. */
export function pageOf(paragraphs: readonly string[]): string {
  return paragraphs
    .join("\n\n")
    .replace(/\n{3,}/g, "\n\n")
    .trimEnd()
    .concat("\n");
}

function section(node: Node, definitions: Definitions): string {
  const alternatives = (node.oneOf ?? []).map(
    (each) => `${each.description ?? ""}\n\n${table(each, definitions)}`,
  );
  return [
    node.description ?? "",
    ...(node.properties === undefined ? [] : [table(node, definitions)]),
    ...(node.allOf ?? []).map((each) => `It also has every key of the ${kind(each)}.`),
    ...(node.items?.properties === undefined ? [] : [table(node.items, definitions)]),
    ...alternatives,
  ].join("\n\n");
}

function table(node: Node, definitions: Definitions): string {
  const rows = rowsOf(node, "", definitions);
  if (rows.length === 0) return "";
  return ["| key | kind | what it is | example |", "|---|---|---|---|", ...rows].join("\n");
}

function rowsOf(node: Node, prefix: string, definitions: Definitions): readonly string[] {
  const required = new Set(node.required ?? []);
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    if (child === true) return [];
    const name = `${prefix}${key}`;
    const mark = required.has(key) ? " (needed)" : "";
    const example = child.examples?.[0] ?? child.items?.examples?.[0];
    const shown = example === undefined ? "" : `\`${cell(JSON.stringify(example))}\``;
    const row = `| \`${name}\`${mark} | ${kind(child)} | ${cell(child.description ?? child.items?.description ?? described(child, definitions))} | ${shown} |`;
    const inside = child.items?.properties === undefined ? child : child.items;
    return [row, ...rowsOf(inside, `${name}.`, definitions)];
  });
}

function kind(node: Node): string {
  // Of another schema, which has a page of its own.
  if (node.$ref?.startsWith("https:") === true) return "mapping";
  if (node.$ref !== undefined)
    return `[${heading(refName(node.$ref))}](#${heading(refName(node.$ref)).replaceAll(" ", "-")})`;
  if (node.anyOf !== undefined) return node.anyOf.map(kind).join(" or ");
  if (typeof node.type === "object") {
    return node.type.map((type) => kind({ ...node, type })).join(" or ");
  }
  if (node.type === "null") return "null";
  if (node.enum !== undefined) return node.enum.map((value) => `\`${value}\``).join(", ");
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  if (node.items !== undefined) return `list of ${kind(node.items)}`;
  if (typeof node.additionalProperties === "object")
    return `mapping to ${kind(node.additionalProperties)}`;
  const words: Readonly<Record<string, string>> = {
    string: "text",
    integer: "whole number",
    boolean: "true or false",
    array: "list",
    object: "mapping",
  };
  return words[node.type ?? ""] ?? node.type ?? "";
}

/** What the definition says that a node, its items or its values refer to. */
function described(node: Node, definitions: Definitions): string {
  const values =
    typeof node.additionalProperties === "object" ? node.additionalProperties : undefined;
  const ref = node.$ref ?? node.items?.$ref ?? values?.$ref;
  return ref === undefined ? "" : (definitions[refName(ref)]?.description ?? "");
}

function refName(ref: string): string {
  return ref.split("/").at(-1) ?? ref;
}

/** `templateUse` -> `template use`. */
function heading(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
