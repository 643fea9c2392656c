import type { Finding } from "#core/finding.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { call, int, list, type NixExpr, path, ref, str } from "#provisioner/nix-language/tree.ts";
import { appliedProfile, type Match, type ProfileSet } from "#provisioner/profiles/profile.ts";
import type { Origin } from "#provisioner/userdata/translation.ts";
import { renderAccountPasswords } from "./account-passwords.ts";
import { type Assignment, assign, attempt, type Concern } from "./assignment.ts";
import type { Base, CredentialFile } from "./base.ts";
import { checkSpec } from "./check-spec.ts";
import { renderCommands } from "./commands.ts";
import { renderFiles } from "./files.ts";
import { withFirewall } from "./firewall.ts";
import {
  type GenerationRecord,
  generationFile,
  generationRecord,
  renderGenerationRecord,
  renderRelease,
} from "./generation-record.ts";
import { renderGroups } from "./groups.ts";
import { renderHardware } from "./hardware.ts";
import { renderHome } from "./home.ts";
import { renderHomes } from "./homes.ts";
import { checkHooks } from "./hooks.ts";
import { renderInitrdSecrets } from "./initrd-secrets.ts";
import { renderMadeMounts } from "./made-mounts.ts";
import { renderManifest } from "./manifest.ts";
import { type MetadataPlace, renderMetadataService } from "./metadata-service.ts";
import { moduleFile, withoutTakeOver } from "./module-file.ts";
import { renderModules } from "./modules.ts";
import { renderLocale, renderNames, renderNtp } from "./names.ts";
import { renderNetwork } from "./network.ts";
import { chooseRenderer } from "./network-renderer.ts";
import { renderNetworkSecrets } from "./network-secrets.ts";
import { renderOwnSettings } from "./own-settings.ts";
import { renderPackages } from "./packages.ts";
import { renderPasswords } from "./passwords.ts";
import { isInStore, pinsFile, renderPins } from "./pins.ts";
import { nameLeftOut } from "./platform-options.ts";
import { renderDoas, renderSudo } from "./privileges.ts";
import { renderRawOptions } from "./raw-options.ts";
import { renderReport, reportValues } from "./report.ts";
import { warnOfSecretLines } from "./secret-lines.ts";
import { digestFiles, type SourceFile, type Sources } from "./sources.ts";
import { renderSshd } from "./sshd.ts";
import { renderStorage } from "./storage.ts";
import { type CheckParameters, renderTemplates, type Templates } from "./templates.ts";
import { renderUnfree, unfreeConsents, warnOfUnfree, warnOfUnfreeDriver } from "./unfree.ts";
import { renderUnits } from "./units.ts";
import { renderUsers } from "./users.ts";
import { renderValues } from "./values.ts";

/** Everything that a system is rendered from: plain values, no secret among them. */
export interface RenderInput {
  readonly spec: Spec;
  readonly facts: Facts;
  readonly match: Match;
  readonly profiles: ProfileSet;
  readonly base: Base;
  readonly templates: Templates;
  readonly checkParameters: CheckParameters;
  /** Credential files by the name of their secret. */
  readonly credentials: ReadonlyMap<string, CredentialFile>;
  readonly origins: ReadonlyMap<string, Origin>;
  readonly instanceId: string;
  /** The cloud's, `null` where the machine is on none, absent where nobody knows. */
  readonly metadataService?: MetadataPlace | null | undefined;
}

/** The files, and what could not be said in them. */
export interface RenderResult {
  readonly sources: Sources;
  readonly findings: readonly Finding[];
}

/**
 * Spec, facts, profile and base -> files of Nix. Pure: the same input gives the same bytes. Never
 * throws for what stands in a spec: findings say what is wrong with it, and with an error among them
 * the files are for looking at only.
 */
export function render(input: RenderInput): RenderResult {
  const profile = appliedProfile(input.match, input.profiles);
  const networkRenderer = chooseRenderer({ ...input, profile });
  const concern: Concern = withFirewall({ ...input, networkRenderer, findings: [] });
  checkSpec(concern);
  warnOfSecretLines(concern);
  nameLeftOut(concern);
  checkHooks(concern);
  const consents = unfreeConsents(concern, input.templates);
  warnOfUnfree(concern, consents);
  warnOfUnfreeDriver(concern, consents);
  const home = renderHome(concern);
  const network = withoutTakeOver(
    concern,
    attempt(concern, ["network"], () => renderNetwork(concern)) ?? [],
  );
  const said = [
    ...renderParts(concern, input),
    ...renderUnfree(concern, consents),
    ...home.assignments,
  ];
  const raw = renderRawOptions(concern, [...said, ...network]);
  const instance = withoutTakeOver(concern, [...said, ...raw]);
  const hardware = renderHardware(concern, { ...input, consents });
  const templates = renderTemplates(concern, input.templates, input.checkParameters);
  const own = renderModules(concern);
  const modules = [
    moduleFile({
      path: "firstlight/instance.nix",
      header: withNote("This instance: what its user-data asks for."),
      imports: home.imports,
      assignments: instance,
    }),
    moduleFile({
      path: "firstlight/network.nix",
      header: withNote("The network of this instance."),
      assignments: network,
    }),
    moduleFile({
      path: "firstlight/hardware.nix",
      header: withNote(hardware.title),
      imports: hardware.imports,
      assignments: hardware.assignments,
    }),
  ].filter((file) => file !== undefined);
  const imports = [
    path(`./${generationFile}`),
    ...modules.map((file) => path(`./${file.path}`)),
    ...templates.imports,
    ...own.imports,
  ];
  const entry = entryAssignments(input.base);
  const read = [
    entryFile(input.base, entry, imports),
    ...modules,
    ...baseFiles(input.base),
    ...hardware.files,
    ...templates.files,
    ...own.files,
  ];
  const record = generationRecord(input, read);
  const generation = renderGeneration(concern, record);
  const reports = attempt(concern, ["report"], () => reportValues(record.report, input.base)) ?? [];
  const set = [
    ...instance,
    ...network,
    ...hardware.assignments,
    ...templates.parameters,
    ...reports,
  ];
  // A release that nobody named is a digest, which says nothing in a plan.
  const named = input.spec.update?.release === undefined ? [] : [renderRelease(record)];
  const files = [...read, ...generation.files, renderValues([...entry, ...named, ...set])];
  const manifest = renderManifest(
    { ...input, origins: concern.origins, content: record.content, consents },
    files,
    [...entry, ...generation.assignments, ...set],
  );
  return { sources: toSources([...files, manifest], input), findings: concern.findings };
}

/** What the system says of itself, in a file that the record is not made from. */
function renderGeneration(concern: Concern, record: GenerationRecord) {
  const own = attempt(concern, ["hooks"], () => renderGenerationRecord(record));
  const assignments = [renderRelease(record), ...(own === undefined ? [] : [own])];
  const header = withNote("This generation: its name in boot entries, and what it is made from.");
  const file = moduleFile({ path: generationFile, header, assignments });
  return { assignments, files: file === undefined ? [] : [file] };
}

/** Each part of the spec by itself: what one of them cannot say does not take the others away. */
function renderParts(
  concern: Concern,
  { facts, metadataService: place }: RenderInput,
): readonly Assignment[] {
  const parts: readonly (readonly [string, (concern: Concern) => readonly Assignment[]])[] = [
    ["hostname", renderNames],
    ["locale", renderLocale],
    ["ntp", renderNtp],
    ["users", renderUsers],
    ["groups", renderGroups],
    ["sshd", renderSshd],
    ["users", renderSudo],
    ["users", renderDoas],
    ["users", renderPasswords],
    ["users", renderAccountPasswords],
    ["users", renderHomes],
    ["packages", renderPackages],
    ["files", renderFiles],
    ["commands", renderCommands],
    ["units", renderUnits],
    ["networkSecrets", renderNetworkSecrets],
    ["initrdSecrets", renderInitrdSecrets],
    ["mounts", (each) => renderStorage(each, facts.memoryBytes)],
    ["mounts", renderMadeMounts],
    ["report", renderReport],
    ["metadataService", (each) => renderMetadataService(each, place)],
  ];
  return [
    ...parts.flatMap(([key, part]) => attempt(concern, [key], () => part(concern)) ?? []),
    ...renderPins(concern.base),
    ...renderOwnSettings(concern.base),
  ];
}

function withNote(header: string): string {
  return `${header}\nWritten by firstlight; changes belong into local.nix.`;
}

/** The short entry: what the system is put together from. */
function entryFile(
  base: Base,
  assignments: readonly Assignment[],
  modules: readonly NixExpr[],
): SourceFile {
  const imports = [
    ...ownConfiguration(base),
    path("./firstlight/agent/module.nix"),
    ...modules,
    ...(base.local === null ? [] : [path("./local.nix")]),
  ];
  const header = [
    "This system, put together by firstlight. What you want to add belongs into local.nix.",
    ...(base.git === undefined
      ? []
      : [`It stands on commit ${base.git.rev} of ${base.git.url}, kept in the Nix store.`]),
  ].join("\n");
  const file = moduleFile({ path: "configuration.nix", header, imports, assignments });
  return file ?? { path: "configuration.nix", content: "{ }\n", mode: 0o644 };
}

/** The machine's own configuration: what was copied from it, or what is pinned from Git. */
function ownConfiguration({ kind, git }: Base): readonly NixExpr[] {
  if (git === undefined)
    return kind === "adopted" ? [path("./firstlight/base/configuration.nix")] : [];
  const { entry, storePath, narHash, url } = git;
  if ("file" in entry) return [str(`${storePath}/${entry.file}`)];
  const missing = call(ref("throw"), str(`${url}: its flake has no ${entry.flake.join(".")}`));
  const flake = call(
    ref("builtins", "getFlake"),
    str(`path:${storePath}?narHash=${encodeURIComponent(narHash)}`),
  );
  return [call(ref("lib", "attrByPath"), list(entry.flake.map(str)), missing, flake)];
}

/** An adopted configuration that says its release keeps it; NixOS's own default is never taken. */
function entryAssignments(base: Base): readonly Assignment[] {
  const version = str(base.stateVersion);
  const value =
    base.kind === "adopted" ? call(ref("lib", "mkOverride"), int(1400), version) : version;
  return [assign(["system", "stateVersion"], value)];
}

function baseFiles(base: Base): readonly SourceFile[] {
  return [
    ...(base.local === null ? [] : [{ path: "local.nix", content: base.local, mode: 0o644 }]),
    ...base.files.map((file) => ({ ...file, path: `firstlight/base/${file.path}` })),
    ...base.agentModule.map((file) => ({ ...file, path: `firstlight/agent/${file.path}` })),
    pinsFile(base),
  ];
}

function toSources(files: readonly SourceFile[], { base, credentials }: RenderInput): Sources {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const { nixpkgs } = base.pins;
  return {
    digest: digestFiles(sorted),
    files: sorted,
    credentials: [...credentials.values()].map(({ file }) => file).sort(),
    nixpkgs: nixpkgs !== undefined && isInStore(nixpkgs) ? nixpkgs.storePath : null,
  };
}
