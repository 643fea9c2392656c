import type { Code } from "#core/codes.ts";
import type { Finding, FindingLevel } from "#core/finding.ts";
import type { Files } from "#core/io.ts";
import type { ProfileFile } from "#generated/provisioner/profiles/profile.ts";
import {
  type ValidationError,
  validate,
} from "#generated/provisioner/profiles/profile.validate.js";
import { readYaml } from "#provisioner/userdata/yaml.ts";
import { expressionOf } from "./conditions.ts";
import { describeError } from "./describe-error.ts";
import { kindOf } from "./profile.ts";
import { folderIds } from "./profile-digest.ts";
import type { ProfileSource } from "./resolve.ts";

const maxFixtures = 64;
const maxFileBytes = 256 * 1024;

/** One profile as it lies in its folder, valid by its schema. */
export interface ProfileFolder extends ProfileSource {
  /** Text of each file in `fixtures/`, by its path below the folder. */
  readonly fixtures: ReadonlyMap<string, string>;
  /** Makes a finding about a place of its `profile.yaml`. */
  readonly find: MakeFinding;
}

/** A finding about the value at `path`. */
export type MakeFinding = (path: readonly (string | number)[], remark: Remark) => Finding;

/** What a finding says, without its place. */
export interface Remark {
  readonly level: FindingLevel;
  readonly code: Code;
  readonly message: string;
  readonly hint?: string;
}

/** Every folder with a `profile.yaml` two levels below `directory`, sorted; the damaged ones as findings only. */
export function readProfileFolders(
  files: Files,
  directory: string,
): { readonly folders: readonly ProfileFolder[]; readonly findings: readonly Finding[] } {
  const folders: ProfileFolder[] = [];
  const findings: Finding[] = [];
  for (const id of folderIds(files, directory)) {
    const read = readFolder(files, directory, id);
    findings.push(...read.findings);
    if (read.folder !== undefined) folders.push(read.folder);
  }
  return { folders, findings };
}

/** A profile that was read before, as a folder without fixtures; findings about it have no line. */
export function folderOfSource(source: ProfileSource): ProfileFolder {
  const document = `${source.file.id}/profile.yaml`;
  return {
    ...source,
    fixtures: new Map(),
    find: (path, { hint = null, ...remark }) => ({
      ...{ document, path: path.join("."), line: null, column: null },
      ...{ ...remark, hint },
    }),
  };
}

/** A profile, unless it is damaged, and what is the matter with its `profile.yaml`. */
export interface FolderReading {
  readonly folder?: ProfileFolder;
  readonly findings: readonly Finding[];
}

function readFolder(files: Files, directory: string, id: string): FolderReading {
  const here = `${directory}/${id}`;
  const text = files.readText(`${here}/profile.yaml`, { maxBytes: maxFileBytes }) ?? "";
  return readProfile(files, { here, text, document: `${id}/profile.yaml`, id });
}

/** A `profile.yaml` by its text, and where what belongs to it lies. */
export interface ProfileText {
  readonly here: string;
  readonly text: string;
  /** Name for findings. */
  readonly document: string;
  /** What its id must be; any where absent. */
  readonly id?: string;
}

/** Reads one profile with the module and fixtures in its directory. */
export function readProfile(
  files: Files,
  { here, text, document, id }: ProfileText,
): FolderReading {
  const read = (name: string) => files.readText(`${here}/${name}`, { maxBytes: maxFileBytes });
  const yaml = readYaml(text, { document });
  const find: MakeFinding = (path, { level, code, message, hint }) => {
    const place = placeOf(path, yaml.locate);
    return {
      document,
      path: path.join("."),
      line: place?.line ?? null,
      column: place?.column ?? null,
      level,
      code,
      message,
      hint: hint ?? null,
    };
  };
  if (yaml.value === undefined) return { findings: yaml.findings };
  const file: unknown = yaml.value;
  if (!validate(file))
    return { findings: [...yaml.findings, ...schemaFindings(validate.errors ?? [], file, find)] };
  if (id !== undefined && file.id !== id) {
    const message = `must be \`${id}\`, as its folder says`;
    return {
      findings: [
        ...yaml.findings,
        find(["id"], { level: "error", code: "profile/invalid", message }),
      ],
    };
  }
  const wrong = [...kindFindings(file, find), ...expressionFindings(file, find)];
  if (wrong.length > 0) return { findings: [...yaml.findings, ...wrong] };
  const fixtures = files.list(`${here}/fixtures`).slice(0, maxFixtures);
  const folder = {
    file,
    module: read("module.nix") ?? null,
    fixtures: new Map(fixtures.map((name) => [`fixtures/${name}`, read(`fixtures/${name}`) ?? ""])),
    find,
  };
  return { folder, findings: yaml.findings };
}

/** What a profile of its kind must have, and what it cannot. */
function kindFindings(file: ProfileFile, find: MakeFinding): readonly Finding[] {
  const kind = kindOf(file);
  const say = (path: readonly (string | number)[], message: string, hint: string) =>
    find(path, { level: "error", code: "profile/invalid", message, hint });
  const parts = ["match", "witness", "tests"] as const;
  if (kind === "base") {
    const hint = "a base is never matched; give its rules to those that extend it";
    return parts
      .filter((part) => file[part] !== undefined)
      .map((part) => say([part], "has no place in a base", hint));
  }
  const missing = (["match", "tests"] as const).filter((part) => file[part] === undefined);
  const found = missing.map((part) =>
    say([part], `is needed by a ${kind}`, "only a base, which others extend, goes without"),
  );
  if (kind === "model") return found;
  if (file.witness !== undefined)
    found.push(say(["witness"], "has no place in a component", "its ids say all that there is"));
  for (const [at, { all }] of (file.match?.any ?? []).entries()) {
    if (all.pci !== undefined || all.usb !== undefined) continue;
    const hint = "add `pci` or `usb`; other conditions may stand beside them";
    found.push(say(["match", "any", at], "names no device, which a component is", hint));
  }
  return found;
}

/** Regular expressions that are none: nothing could be matched by them, nor beside them. */
function expressionFindings(
  { match, witness }: ProfileFile,
  find: MakeFinding,
): readonly Finding[] {
  const rules = Object.entries({ match, witness });
  return rules.flatMap(([name, rule]) =>
    (rule?.any ?? []).flatMap(({ all, not = [] }, at) =>
      [
        { place: ["all"], dmi: all.dmi },
        ...not.map(({ dmi }, nth) => ({ place: ["not", nth], dmi })),
      ].flatMap(({ place, dmi = {} }) =>
        Object.entries(dmi).flatMap(([field, text]) => {
          const why = typeof text === "object" && "regex" in text ? whyNoExpression(text) : null;
          if (why === null) return [];
          const hint = "write one of JavaScript, without anchors; a text as it is needs none";
          const message = `is no regular expression: ${why}`;
          const remark = { level: "error", code: "profile/invalid", message, hint } as const;
          return [find([name, "any", at, ...place, "dmi", field], remark)];
        }),
      ),
    ),
  );
}

function whyNoExpression(rule: { readonly regex: string }): string | null {
  try {
    expressionOf(rule);
    return null;
  } catch (error) {
    const { message } = error as SyntaxError; // "Invalid regular expression: /…/u: Unterminated group"
    return message.slice(message.lastIndexOf(": ") + 2).toLowerCase();
  }
}

type Locate = ReturnType<typeof readYaml>["locate"];

/** The place of the value, or of the nearest one around it. */
function placeOf(path: readonly (string | number)[], locate: Locate): ReturnType<Locate> {
  for (let length = path.length; length >= 0; length--) {
    const place = locate(path.slice(0, length), length === path.length ? "key" : "value");
    if (place !== undefined) return place;
  }
  return undefined;
}

/**
 * Errors of the schema; of alternatives that all fail only the one that says so, of a text that is too
 * short not its form as well, and of a name only that it is not allowed.
 */
function schemaFindings(
  errors: readonly ValidationError[],
  value: unknown,
  find: MakeFinding,
): readonly Finding[] {
  const placesOf = (wanted: string) =>
    errors.filter(({ keyword }) => keyword === wanted).map(({ instancePath }) => instancePath);
  const alternatives = placesOf("anyOf");
  const empty = new Set(placesOf("minLength"));
  const kept = errors.filter(
    ({ keyword, instancePath, schemaPath }) =>
      !schemaPath.includes("/propertyNames/") &&
      !(keyword === "pattern" && empty.has(instancePath)) &&
      (keyword === "anyOf" ||
        !alternatives.some((path) => instancePath === path || instancePath.startsWith(`${path}/`))),
  );
  return kept.map((error) => {
    const parent = error.instancePath
      .split("/")
      .slice(1)
      .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
    const key = error.params["additionalProperty"] ?? error.params["propertyName"];
    const path = typeof key === "string" ? [...parent, key] : parent;
    const said = describeError(error, parent.reduce<unknown>(valueUnder, value));
    return find(path, { level: "error", code: "profile/invalid", ...said });
  });
}

function valueUnder(value: unknown, key: string): unknown {
  return (value as { readonly [key: string]: unknown } | undefined)?.[key];
}
