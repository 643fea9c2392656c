import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { fromJson, type PlainData } from "#provisioner/nix-language/from-json.ts";
import { call, list, ref, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign, type Concern } from "./assignment.ts";
import type { CredentialFile } from "./base.ts";
import { type CommandRecord, commandRecords } from "./commands.ts";
import { type HookRecord, hookRecords } from "./hooks.ts";
import { instanceScope } from "./instance-scope.ts";
import type { SourceFile } from "./sources.ts";

/**
 * What a system says of itself in `/etc/firstlight/generation.json`: so that its sources, secrets and
 * stamps are known as long as it is there, whatever became of the journal.
 */
export interface GenerationRecord {
  readonly v: 1;
  /** SHA-256 over what Nix reads of its sources; the manifest of the same sources says the same. */
  readonly content: string;
  /** Its name in boot entries. */
  readonly release: string;
  /** Scope of its instance, see `instance-scope.ts`. */
  readonly instance: string;
  /** Scripts that its units run, and where each leaves how it ended. */
  readonly commands: readonly CommandRecord[];
  /** What is run around the change to it. */
  readonly hooks: readonly HookRecord[];
  /** Where its node reports. */
  readonly report: ReportRecord;
  /** Credential files that it refers to. */
  readonly credentials: readonly string[];
}

/**
 * Where a node reports while this generation runs: part of it, so that it is tried, judged and taken
 * back with it. No secret is in it.
 */
export interface ReportRecord {
  /** Name of a node that is given no other. */
  readonly instanceId: string;
  /** As the spec says it, without the password; `null` where it says nothing. */
  readonly spec: SpokenReport | null;
  /** Credential that holds the broker's password. */
  readonly password: Pick<CredentialFile, "name" | "file" | "encrypted"> | null;
}

/** `report` of a spec whose password is elsewhere. */
export type SpokenReport = Omit<Report, "mqtt"> & {
  readonly mqtt?: Omit<NonNullable<Report["mqtt"]>, "password">;
};

type Report = NonNullable<Spec["report"]>;

/** The module that the record is in, below the sources. */
export const generationFile = "firstlight/generation.nix";

/** Below a system. */
export const generationRecordFile = "etc/firstlight/generation.json";

type GenerationInput = Pick<Concern, "spec" | "instanceId" | "credentials">;

/** The record of a system that is evaluated from these files; it is the same for the same content. */
export function generationRecord(
  input: GenerationInput,
  files: readonly SourceFile[],
): GenerationRecord {
  const { spec, instanceId, credentials } = input;
  const content = sha256(
    [...files]
      .sort((a, b) => (a.path < b.path ? -1 : 1))
      .map(({ path, mode, content }) => `${path}\0${mode}\0${sha256(content)}\n`)
      .join(""),
  );
  return {
    v: 1,
    content,
    release: spec.update?.release ?? `firstlight.${content.slice(0, 8)}`,
    instance: instanceScope(instanceId),
    commands: commandRecords(input),
    hooks: hookRecords(input),
    report: reportRecord(input),
    credentials: [...credentials.values()].map(({ file }) => file).sort(),
  };
}

/** Where a node reports whose spec and credentials these are. */
export function reportRecord({ spec, instanceId, credentials }: GenerationInput): ReportRecord {
  const { mqtt, ...address } = spec.report ?? {};
  const { password, ...broker } = mqtt ?? {};
  const file = password === undefined ? undefined : credentials.get(password.secretRef);
  return {
    instanceId,
    spec:
      spec.report === undefined
        ? null
        : { ...address, ...(mqtt === undefined ? {} : { mqtt: { ...broker, host: mqtt.host } }) },
    password:
      file === undefined ? null : { name: file.name, file: file.file, encrypted: file.encrypted },
  };
}

/** The release in the system's label: what every boot loader of NixOS shows beside the date. */
export function renderRelease({ release }: GenerationRecord): Assignment {
  return assign(["system", "nixos", "tags"], list([str(release)]), ["update", "release"]);
}

/** The record in the system itself. */
export function renderGenerationRecord(record: GenerationRecord): Assignment {
  const json = call(ref("builtins", "toJSON"), fromJson(plain(record)));
  return assign(["environment", "etc", "firstlight/generation.json", "text"], json);
}

function plain(record: GenerationRecord): PlainData {
  const copies = (items: readonly object[]) => items.map((item) => ({ ...item }) as PlainData);
  // Whatever order the spec has its keys in.
  const report = JSON.parse(canonicalJson(record.report)) as PlainData;
  return { ...record, commands: copies(record.commands), hooks: copies(record.hooks), report };
}
