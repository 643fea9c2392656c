import { canonicalJson } from "#core/canonical-json.ts";
import { byPlace, type Finding } from "#core/finding.ts";
import type { Files } from "#core/io.ts";
import { nearest } from "#core/nearest.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { validate as validateFacts } from "#generated/provisioner/facts/facts.validate.js";
import type { Clause, TestCase, TextRule } from "#generated/provisioner/profiles/profile.ts";
import { splitOptionName } from "#provisioner/render/option-name.ts";
import { type Compilation, compileBeside, compileFolders, compileProfiles } from "./compile.ts";
import { compose } from "./components.ts";
import { type ImportableModules, readDeclared } from "./declared.ts";
import { evaluateRule } from "./evaluate.ts";
import { knownText } from "./known-text.ts";
import { lintModuleParams, lintRanges, lintStatus } from "./lint-claims.ts";
import { lintShadows } from "./lint-shadows.ts";
import { explainMatch, matchProfile } from "./match.ts";
import {
  type CompiledProfile,
  type ProfileSet,
  profileSet,
  type ShippedProfiles,
} from "./profile.ts";
import { folderIds } from "./profile-digest.ts";
import { type ProfileFolder, readProfile, readProfileFolders } from "./profile-folder.ts";
import { sampleFacts } from "./sample-facts.ts";

/** Options that the kernel and initrd parts stand for: given twice, they could contradict each other unseen. */
const structuredOptions: ReadonlyMap<string, string> = new Map([
  ["boot.kernelParams", "kernel.params"],
  ["boot.kernelModules", "kernel.modules"],
  ["boot.blacklistedKernelModules", "kernel.blacklist"],
  ["boot.initrd.availableKernelModules", "initrd.availableModules"],
  ["boot.initrd.kernelModules", "initrd.modules"],
]);

const vendorFields: ReadonlySet<string> = new Set([
  "sysVendor",
  "boardVendor",
  "biosVendor",
  "chassisVendor",
]);
const minPrefixLength = 4;

/** Where the profiles are, and the day on which they are looked at. */
export interface LintOptions {
  readonly directory: string;
  /** ISO date: quirks to be reviewed before it are named. */
  readonly today: string;
  /** What an owner's profiles stand on; a directory with declared profiles of its own stands alone. */
  readonly beside?: ShippedProfiles;
}

/**
 * Everything that is wrong, or will go wrong, with the profiles below a directory: their files,
 * their rules, their settings, and the machines of their tests.
 */
export function lintProfiles(files: Files, options: LintOptions): readonly Finding[] {
  const { directory, today, beside } = options;
  const nothing = nothingThere(files, directory);
  if (nothing !== undefined) return [nothing];
  const own = readDeclared(files, directory);
  const compilation =
    beside === undefined || own !== undefined
      ? compileProfiles(files, directory)
      : compileBeside(beside, files, directory);
  return [
    ...compilation.findings,
    ...compilation.folders.flatMap((folder) => lintFolder(folder, compilation, today)),
    ...lintTwins(compilation.folders),
    ...lintComponents(compilation),
    ...lintImports(compilation.folders, own ?? beside?.importable()),
    ...lintShadows(compilation.folders, compilation.compiled),
    ...compilation.folders.flatMap((folder) => lintStatus(files, directory, folder)),
  ];
}

/** Why there is nothing to look at: what was looked at would be somewhere else. */
function nothingThere(files: Files, directory: string): Finding | undefined {
  if (folderIds(files, directory).length > 0) return undefined;
  const real = files.realPath(directory);
  const kind = real === undefined ? undefined : files.stat(real)?.kind;
  const message =
    kind === undefined
      ? "there is no such directory"
      : kind === "directory"
        ? "holds no VENDOR/MODEL/profile.yaml"
        : "is no directory";
  return {
    ...{ document: directory, path: "", line: null, column: null },
    ...{ level: "error", code: "profile/invalid", message },
    hint: "name the directory that holds the profiles, each as VENDOR/MODEL/profile.yaml",
  };
}

/** Imports that nixos-hardware has not, at the revision of the declared profiles; nothing where that is not known. */
function lintImports(
  folders: readonly ProfileFolder[],
  importable: ImportableModules | undefined,
): readonly Finding[] {
  if (importable === undefined) return [];
  return folders.flatMap((folder) =>
    (folder.file.nixos?.imports ?? []).flatMap((name, at) => {
      if (importable.modules.includes(name)) return [];
      const near = nearest(name, importable.modules);
      const message = `nixos-hardware has no module ${name} at ${importable.revision}`;
      return [
        folder.find(["nixos", "imports", at], {
          level: "error",
          code: "profile/lint",
          message,
          ...(near === undefined ? {} : { hint: `did you mean ${near}?` }),
        }),
      ];
    }),
  );
}

function lintFolder(
  folder: ProfileFolder,
  compilation: Compilation,
  today: string,
): readonly Finding[] {
  return [
    ...lintRules(folder),
    ...lintSettings(folder, compilation),
    ...lintQuirks(folder, today),
    ...lintClaims(folder, compilation),
    ...runTests(folder, compilation),
  ];
}

/** What its settings and quirks claim, held against the whole profile. */
function lintClaims(folder: ProfileFolder, { compiled }: Compilation): readonly Finding[] {
  const profile = compiled.find(folder.file.id);
  if (profile === undefined) return []; // said why already
  return [...lintModuleParams(folder, profile), ...lintRanges(folder, profile.kernel.min)];
}

/** One file of a profile, wherever it lies. */
export interface LintFileOptions {
  /** Absolute path. */
  readonly file: string;
  readonly text: string;
  /** Name for findings. */
  readonly document: string;
  readonly today: string;
}

/**
 * Everything that is wrong with one file. Where it lies as `<id>/profile.yaml`, profiles beside it
 * are looked at too: those that it extends, and those that could be taken for it.
 */
export function lintProfileFile(files: Files, options: LintFileOptions): readonly Finding[] {
  const { file, text, document, today } = options;
  const here = file.slice(0, file.lastIndexOf("/"));
  const { folder, findings } = readProfile(files, { here, text, document });
  if (folder === undefined) return findings;
  const { id } = folder.file;
  const place = `/${id}/profile.yaml`;
  const beside = file.endsWith(place)
    ? readProfileFolders(files, file.slice(0, -place.length)).folders
    : [];
  // Behind the others: of two with the same clause the later one is named.
  const compilation = compileFolders([...beside.filter((each) => each.file.id !== id), folder]);
  return [
    ...findings,
    ...compilation.findings,
    ...lintFolder(folder, compilation, today),
    ...lintTwins(compilation.folders),
    ...lintComponents(compilation),
  ]
    .filter((finding) => finding.document === document)
    .sort(byPlace);
}

function lintRules(folder: ProfileFolder): readonly Finding[] {
  const findings: Finding[] = [];
  for (const rule of ["match", "witness"] as const) {
    for (const [at, clause] of (folder.file[rule]?.any ?? []).entries()) {
      const place = [rule, "any", at, "all"];
      if (rule === "match" && isVendorOnly(clause)) {
        const message = "matches on the vendor alone: a vendor makes more than one machine";
        findings.push(folder.find(place, { level: "error", code: "profile/lint", message }));
      }
      for (const [field, text] of Object.entries(clause.all.dmi ?? {})) {
        findings.push(...lintText(folder, [...place, "dmi", field], text));
      }
    }
  }
  return findings;
}

function isVendorOnly(clause: Clause): boolean {
  const { dmi, dt, pci, usb, virt } = clause.all;
  if (
    dmi === undefined ||
    dt !== undefined ||
    pci !== undefined ||
    usb !== undefined ||
    virt !== undefined
  )
    return false;
  return Object.keys(dmi).every((field) => vendorFields.has(field));
}

function lintText(
  folder: ProfileFolder,
  place: readonly (string | number)[],
  rule: TextRule,
): readonly Finding[] {
  const find = (level: Finding["level"], message: string) => [
    folder.find(place, { level, code: "profile/lint", message }),
  ];
  if (typeof rule === "string" || "oneOf" in rule) {
    const texts: readonly string[] = typeof rule === "string" ? [rule] : rule.oneOf;
    const junk = texts.find((text) => knownText(text) !== text);
    return junk === undefined
      ? []
      : find("error", `never holds: ${JSON.stringify(junk)} is a placeholder, or not trimmed`);
  }
  if ("prefix" in rule) {
    return rule.prefix.length < minPrefixLength
      ? find("warning", `the prefix ${JSON.stringify(rule.prefix)} is short`)
      : [];
  }
  return find("note", `uses a regular expression: ${rule.reason}`);
}

function lintSettings(folder: ProfileFolder, { compiled }: Compilation): readonly Finding[] {
  const findings: Finding[] = [];
  const say = (place: readonly string[], message: string, hint?: string) =>
    findings.push(
      folder.find(place, {
        level: "error",
        code: "profile/lint",
        message,
        ...(hint === undefined ? {} : { hint }),
      }),
    );
  for (const part of [
    ["nixos", "options"],
    ["nixos", "platform", "options"],
  ] as const) {
    const options =
      (part.length === 2 ? folder.file.nixos?.options : folder.file.nixos?.platform?.options) ?? {};
    for (const [name, value] of Object.entries(options)) {
      if (typeof value === "string" && value.includes("\n")) {
        say(
          [...part, name],
          "is a default, and lines beside the lines of others would be dropped",
          "set it in module.nix",
        );
      }
      if (splitOptionName(name) === undefined) say([...part, name], "is no name of an option");
      const structured = structuredOptions.get(name);
      if (structured !== undefined)
        say([...part, name], "has a place of its own", `write it in ${structured}`);
    }
  }
  const profile = compiled.profiles.find(({ id }) => id === folder.file.id);
  if (profile !== undefined && hasBothPowerDaemons(profile)) {
    say(
      ["nixos", "options"],
      "turns on TLP and power-profiles-daemon, which fight over the same settings",
    );
  }
  return findings;
}

function hasBothPowerDaemons({ nixos }: CompiledProfile): boolean {
  return (
    nixos.options["services.tlp.enable"] === true &&
    nixos.options["services.power-profiles-daemon.enable"] === true
  );
}

function lintQuirks(folder: ProfileFolder, today: string): readonly Finding[] {
  return (folder.file.quirks ?? []).flatMap((quirk, at) => {
    if (quirk.reviewBy >= today) return [];
    const message = `quirk ${quirk.id} was to be looked at by ${quirk.reviewBy}`;
    const hint = "see whether it is still needed; remove it, or give a later day";
    return [
      folder.find(["quirks", at, "reviewBy"], {
        level: "warning",
        code: "profile/lint",
        message,
        hint,
      }),
    ];
  });
}

/** Two profiles with the same clause can only ever be ambiguous. */
function lintTwins(folders: readonly ProfileFolder[]): readonly Finding[] {
  const seen = new Map<string, string>();
  const findings: Finding[] = [];
  for (const folder of folders) {
    for (const [at, clause] of (folder.file.match?.any ?? []).entries()) {
      const key = canonicalJson(clause);
      const other = seen.get(key);
      if (other !== undefined) {
        const message = `the same clause stands in ${other}`;
        findings.push(
          folder.find(["match", "any", at], { level: "error", code: "profile/lint", message }),
        );
      }
      seen.set(key, folder.file.id);
    }
  }
  return findings;
}

/** Any component may turn up in any machine, beside any other: two that contradict each other are named before. */
function lintComponents({ compiled, folders }: Compilation): readonly Finding[] {
  const components = compiled.profiles.filter(({ kind }) => kind === "component");
  return components.flatMap((component, index) => {
    const folder = folders.find(({ file }) => file.id === component.id);
    const others = compiled.profiles.filter(
      (other) => other.kind === "model" || components.slice(0, index).includes(other),
    );
    return others.flatMap((other) =>
      compose(other, [component]).conflicts.flatMap(({ place, name }) => {
        const message = `gives ${name} another value than ${other.id}, in which it may be`;
        const hint = "a value that depends on the machine belongs to the profile of the machine";
        const remark = { level: "error", code: "profile/lint", message, hint } as const;
        return folder === undefined ? [] : [folder.find([...place.split("."), name], remark)];
      }),
    );
  });
}

/**
 * The machines of its tests, among the profiles made by hand; a declared profile may refine the one
 * that is expected, and no other may be taken before it.
 */
function runTests(folder: ProfileFolder, { compiled, handMade }: Compilation): readonly Finding[] {
  const findings: Finding[] = [];
  const { id, tests } = folder.file;
  if (tests === undefined) return []; // of a base
  const self = compiled.profiles.find((profile) => profile.id === id);
  if (self === undefined) return []; // said why already
  for (const kind of ["match", "noMatch"] as const) {
    for (const [at, test] of tests[kind].entries()) {
      const fail = (message: string, hint?: string) =>
        findings.push(
          folder.find(["tests", kind, at], {
            ...{ level: "error", code: "profile/test-failed" },
            message: `${test.name}: ${message}`,
            ...(hint === undefined ? {} : { hint }),
          }),
        );
      const facts = factsOfTest(folder, test);
      if (facts === undefined) {
        fail("expected `facts`, or a `fixture` that holds facts");
        continue;
      }
      if (self.kind === "component") {
        const attaches = evaluateRule(self.match, facts).truth === "holds";
        if (attaches !== (kind === "match"))
          fail(`expected ${id} ${attaches ? "not to be added" : "to be added"}`);
        continue;
      }
      const { profile, confidence } = matchProfile(facts, handMade);
      const got = `got ${profile ?? "no profile"} (${confidence})`;
      const among = compiled === handMade ? null : matchProfile(facts, compiled);
      const taken = among === null ? profile : among.profile;
      const lineageOf = (name: string | null) => compiled.find(name ?? "")?.lineage ?? [];
      const lineage = lineageOf(taken);
      if (kind === "noMatch") {
        if (profile === id) fail(`expected any other profile, ${got}`);
        else if (lineage.includes(id) && !lineageOf(profile).includes(id))
          fail(`expected any other profile, got ${taken}, which extends ${id}`);
      } else if (profile !== id || (test.confidence ?? confidence) !== confidence) {
        fail(
          `expected ${id}${test.confidence === undefined ? "" : ` (${test.confidence})`}, ${got}`,
          profile === id ? undefined : whyNotTaken(self, facts, handMade),
        );
      } else if (!lineage.includes(id)) {
        fail(
          `expected ${id} or a declared profile that extends it, got ${taken ?? "no profile"} (${among?.confidence})`,
          whyNotTaken(self, facts, compiled),
        );
      }
    }
  }
  return findings;
}

/** What speaks against a profile on a machine that was to have it. */
function whyNotTaken(profile: CompiledProfile, facts: Facts, all: ProfileSet): string | undefined {
  return [all, profileSet([profile])]
    .flatMap((set) => explainMatch(facts, set).rejected)
    .find(({ id }) => id === profile.id)?.why;
}

function factsOfTest(folder: ProfileFolder, test: TestCase): Facts | undefined {
  if (test.facts !== undefined) return sampleFacts(test.facts);
  try {
    const value: unknown = JSON.parse(folder.fixtures.get(test.fixture ?? "") ?? "");
    return validateFacts(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
