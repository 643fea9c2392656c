import { sha256 } from "#core/canonical-json.ts";
import { isFault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { isTakeOver } from "#provisioner/nix-language/from-json.ts";
import { optionEntries } from "#provisioner/nix-language/option-set.ts";
import { print } from "#provisioner/nix-language/print.ts";
import {
  attrs,
  bind,
  blank,
  list,
  moduleOf,
  type NixExpr,
  path,
  str,
} from "#provisioner/nix-language/tree.ts";
import type { CompiledProfiles, Match } from "#provisioner/profiles/profile.ts";
import type { Origin } from "#provisioner/userdata/translation.ts";
import { type Assignment, addFinding, assign, type Concern } from "./assignment.ts";
import type { Base, CredentialFile } from "./base.ts";
import { renderCommands } from "./commands.ts";
import { renderFiles } from "./files.ts";
import { renderHardware } from "./hardware.ts";
import { renderManifest } from "./manifest.ts";
import { renderLocale, renderNames, renderNtp } from "./names.ts";
import { renderNetwork } from "./network.ts";
import { renderOwnSettings } from "./own-settings.ts";
import { renderPasswords } from "./passwords.ts";
import { isInStore, pinsFile, renderPins } from "./pins.ts";
import { renderReport } from "./report.ts";
import type { SourceFile, Sources } from "./sources.ts";
import {
  renderHome,
  renderPackages,
  renderRawOptions,
  renderStorage,
  renderUnits,
} from "./system-parts.ts";
import { type CheckParameters, renderTemplates, type Templates } from "./templates.ts";
import { renderUsers } from "./users.ts";

/** Everything that a system is rendered from: plain values, no secret among them. */
export interface RenderInput {
  readonly spec: Spec;
  readonly facts: Facts;
  readonly match: Match;
  readonly profiles: CompiledProfiles;
  readonly base: Base;
  readonly templates: Templates;
  readonly checkParameters: CheckParameters;
  /** Credential files by the name of their secret. */
  readonly credentials: ReadonlyMap<string, CredentialFile>;
  readonly origins: ReadonlyMap<string, Origin>;
  readonly instanceId: string;
}

/** The files, and what could not be said in them. */
export interface RenderResult {
  readonly sources: Sources;
  readonly findings: readonly Finding[];
}

/** Spec, facts, profile and base -> files of Nix. Pure: the same input gives the same bytes. */
export function render(input: RenderInput): RenderResult {
  const { base } = input;
  const findings: Finding[] = [];
  const concern: Concern = { ...input, findings };
  const instance = withoutTakeOver(
    concern,
    attempt(findings, () => renderInstance(concern)),
  );
  const network = attempt(findings, () => renderNetwork(concern));
  const hardware = renderHardware(input);
  const templates = renderTemplates(concern, input.templates, input.checkParameters);
  const assignments = [...instance, ...network, ...hardware.assignments];
  const modules = [
    moduleFile("firstlight/instance.nix", "This instance: what its user-data asks for.", instance),
    moduleFile("firstlight/network.nix", "The network of this instance.", network),
    moduleFile("firstlight/hardware.nix", hardware.title, hardware.assignments, hardware.imports),
  ].filter((file) => file !== undefined);
  const files = [
    entryFile(
      base,
      [...modules.map((file) => path(`./${file.path}`)), ...templates.imports],
      base.local !== null,
    ),
    ...modules,
    ...(base.local === null ? [] : [{ path: "local.nix", content: base.local, mode: 0o644 }]),
    ...hardware.files,
    ...templates.files,
    ...base.files.map((file) => ({ ...file, path: `firstlight/base/${file.path}` })),
    ...base.agentModule.map((file) => ({ ...file, path: `firstlight/agent/${file.path}` })),
    pinsFile(base),
  ];
  const manifest = renderManifest(input.instanceId, files, assignments, input.origins);
  return { sources: toSources([...files, manifest], input), findings };
}

/** A user, file or host whose name NixOS would obey as something else is refused, not rendered. */
function withoutTakeOver(
  concern: Concern,
  assignments: readonly Assignment[],
): readonly Assignment[] {
  return assignments.filter(({ path: option, from = [] }) => {
    const obeyed = option.find((part) => isTakeOver(part));
    if (obeyed === undefined) return true;
    const message = `the name ${obeyed} means something else to NixOS`;
    addFinding(concern, from, "error", "nix/take-over-key", message, "choose another name");
    return false;
  });
}

function renderInstance(concern: Concern): readonly Assignment[] {
  const parts = [
    ...renderNames(concern),
    ...renderLocale(concern),
    ...renderNtp(concern),
    ...renderUsers(concern),
    ...renderPasswords(concern),
    ...renderPackages(concern),
    ...renderFiles(concern),
    ...renderCommands(concern),
    ...renderUnits(concern),
    ...renderStorage(concern),
    ...renderHome(concern),
    ...renderReport(concern),
    ...renderPins(concern.base),
    ...renderOwnSettings(concern.base),
  ];
  return [...parts, ...renderRawOptions(concern, parts)];
}

/** A value that Nix cannot hold is a finding about the input, not an end of the program. */
function attempt(findings: Finding[], work: () => readonly Assignment[]): readonly Assignment[] {
  try {
    return work();
  } catch (error) {
    if (!isFault(error, "nix/unprintable") && !isFault(error, "nix/take-over-key")) throw error;
    findings.push({
      document: "spec",
      path: "",
      line: null,
      column: null,
      level: "error",
      code: error.code,
      message: error.message,
      hint: null,
    });
    return [];
  }
}

function moduleFile(
  name: string,
  header: string,
  assignments: readonly Assignment[],
  imports: readonly NixExpr[] = [],
): SourceFile | undefined {
  if (assignments.length === 0 && imports.length === 0) return undefined;
  const head = imports.length === 0 ? [] : [bind("imports", list(imports)), blank];
  const body = attrs([...head, ...optionEntries(assignments)]);
  const names = usedArguments(body);
  const content = print(moduleOf(names, body), {
    header: `${header}\nWritten by firstlight; changes belong into local.nix.`,
  });
  return { path: name, content, mode: 0o644 };
}

/** Arguments of the module that its body mentions, in the order of the field. */
function usedArguments(body: NixExpr): readonly string[] {
  const text = JSON.stringify(body, (_key, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
  return ["config", "lib", "pkgs", "modulesPath"].filter((name) =>
    text.includes(`"kind":"reference","path":["${name}"`),
  );
}

/** The short entry: what the system is put together from. */
function entryFile(base: Base, modules: readonly NixExpr[], hasLocal: boolean): SourceFile {
  const imports = [
    ...(base.kind === "adopted" ? [path("./firstlight/base/configuration.nix")] : []),
    path("./firstlight/agent/module.nix"),
    ...modules,
    ...(hasLocal ? [path("./local.nix")] : []),
  ];
  const adopted = base.files.some((file) =>
    /system\s*\.\s*stateVersion|stateVersion\s*=/.test(withoutComments(file.content)),
  );
  const version = adopted
    ? []
    : optionEntries([assign(["system", "stateVersion"], str(base.stateVersion))]);
  const body = attrs([bind("imports", list(imports)), blank, ...version]);
  const header =
    "This system, put together by firstlight. What you want to add belongs into local.nix.";
  return { path: "configuration.nix", content: print(moduleOf([], body), { header }), mode: 0o644 };
}

function withoutComments(text: string): string {
  return text.replace(/#.*$/gm, "");
}

function toSources(files: readonly SourceFile[], { base, credentials }: RenderInput): Sources {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const digest = sha256(
    sorted
      .map(({ path: name, mode, content }) => `${name}\0${mode}\0${sha256(content)}\n`)
      .join(""),
  );
  const { nixpkgs } = base.pins;
  return {
    digest,
    files: sorted,
    credentials: [...credentials.values()].map(({ file }) => file).sort(),
    nixpkgs: nixpkgs !== undefined && isInStore(nixpkgs) ? nixpkgs.storePath : null,
  };
}
