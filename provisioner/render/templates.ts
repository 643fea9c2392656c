import { nearest } from "#core/nearest.ts";
import type { TemplateUse } from "#generated/provisioner/spec/v1.ts";
import { fromJson, type PlainData } from "#provisioner/nix-language/from-json.ts";
import { call, importFile, type NixExpr, path } from "#provisioner/nix-language/tree.ts";
import {
  type Assignment,
  addFinding,
  assign,
  attempt,
  type Concern,
  placeOf,
} from "./assignment.ts";
import type { NetworkRenderer } from "./network-renderer.ts";
import { hintAt } from "./parameter-hints.ts";
import type { SourceFile } from "./sources.ts";
import { clashOf } from "./template-uses.ts";
import { warnOfUndeclared } from "./undeclared.ts";

/** A template as it is shipped: a folder with a module, the schema of its parameters, and a page. */
export interface Template {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Parameters that show it at work; tested. */
  readonly example: Readonly<Record<string, PlainData>>;
  /** Files that are copied into the sources, paths below the template's folder. */
  readonly files: readonly SourceFile[];
  /** What it has the network set up by, where it brings a program for that. */
  readonly networkRenderer?: NetworkRenderer;
  readonly unfree?: TemplateUnfree;
  /** JSON Schema of the parameters. */
  readonly schema: Readonly<Record<string, unknown>>;
  /**
   * Parameters in each of which several uses on one machine differ, or one mapping in whose names they do; a
   * machine has one use where there is none.
   */
  readonly apart: readonly string[];
}

/** Packages in a template whose licence is not free. */
export interface TemplateUnfree {
  /** The parameter that agrees to them. */
  readonly consent: string;
  readonly packages: readonly string[];
  /** Those that come with further parameters, by the name of the one that turns them on. */
  readonly more: Readonly<Record<string, readonly string[]>>;
}

/** Templates by name. */
export type Templates = Pick<ReadonlyMap<string, Template>, "get" | "keys">;

/** Every template there is. */
export function allTemplates(templates: Templates): readonly Template[] {
  return [...templates.keys()].flatMap((name) => templates.get(name) ?? []);
}

/** Whether parameters fit a template: nothing, or what is wrong with them. */
export type CheckParameters = (template: string, parameters: unknown) => readonly ParameterFault[];

export interface ParameterFault {
  /** Path inside the parameters. */
  readonly path: readonly string[];
  readonly message: string;
  /** Name that the mapping at `path` lacks. */
  readonly missing?: string;
}

/** Templates that are used: what is imported, and their files. */
export interface RenderedTemplates {
  readonly imports: readonly NixExpr[];
  readonly files: readonly SourceFile[];
  /** What each is called with, as if it were an option `templates.NAME`: for manifest and plans. */
  readonly parameters: readonly Assignment[];
}

/** Each used template as an import that calls it with its parameters, printed as values. */
export function renderTemplates(
  concern: Concern,
  templates: Templates,
  check: CheckParameters,
): RenderedTemplates {
  const imports: NixExpr[] = [];
  const files = new Map<string, SourceFile>();
  const called: Assignment[] = [];
  const uses = concern.spec.templates ?? [];
  for (const [index, use] of uses.entries()) {
    const template = templates.get(use.name);
    const at = ["templates", String(index)];
    if (template === undefined) {
      addFinding(
        concern,
        [...at, "name"],
        "error",
        "render/template-unknown",
        `there is no template \`${use.name}\``,
        didYouMean(use.name, [...templates.keys()]),
      );
      continue;
    }
    const parameters = readParameters(concern, { template, use, at, check });
    if (parameters === undefined || !fitsUsesBefore(concern, template, index)) continue;
    checkUsers(concern, use, at);
    imports.push(call(importFile(path(`./firstlight/templates/${template.name}`)), parameters));
    const before = called.filter(
      ({ path: [, name] }) => name?.split(" ")[0] === template.name,
    ).length;
    const name = before === 0 ? template.name : `${template.name} ${before + 1}`;
    called.push(assign(["templates", name], parameters, [...at, "parameters"]));
    for (const file of template.files) {
      const target = `firstlight/templates/${template.name}/${file.path}`;
      files.set(target, { ...file, path: target });
    }
  }
  return { imports, files: [...files.values()], parameters: called };
}

/** Accounts that a template's parameter `users` names and nothing here makes. */
function checkUsers(concern: Concern, use: TemplateUse, at: readonly string[]): void {
  const named = use.parameters?.["users"];
  if (!Array.isArray(named)) return;
  for (const [index, name] of named.entries()) {
    if (typeof name !== "string") continue;
    const place = [...at, "parameters", "users", String(index)];
    warnOfUndeclared(concern, { kind: "user", name, at: place });
  }
}

interface Reading {
  readonly template: Template;
  readonly use: TemplateUse;
  readonly at: readonly string[];
  readonly check: CheckParameters;
}

function readParameters(
  concern: Concern,
  { template, use, at, check }: Reading,
): NixExpr | undefined {
  const parameters = (use.parameters ?? {}) as PlainData;
  const faults = check(use.name, parameters);
  for (const fault of faults) {
    addFinding(
      concern,
      [...at, "parameters", ...fault.path],
      "error",
      "render/template-parameters",
      `template ${use.name}: ${fault.message}`,
      hintAt(template.schema, parameters, fault),
    );
  }
  if (faults.length > 0) return undefined;
  return attempt(concern, [...at, "parameters"], () => fromJson(parameters));
}

/** Whether a machine can have a use beside those before it; where not, a finding names the other one. */
function fitsUsesBefore(concern: Concern, template: Template, index: number): boolean {
  const uses = concern.spec.templates ?? [];
  const use = uses[index];
  for (const [other, before] of uses.slice(0, index).entries()) {
    if (before.name !== template.name || use === undefined) continue;
    const clash = clashOf(template, before, use);
    if (clash === undefined) continue;
    addFinding(
      concern,
      ["templates", String(index)],
      "error",
      "render/template-twice",
      `template ${template.name} is used already at ${placeOf(concern, ["templates", String(other)])}, ${clash.message}`,
      clash.hint,
    );
    return false;
  }
  return true;
}

function didYouMean(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined ? `known are ${known.join(", ")}` : `did you mean \`${near}\`?`;
}
