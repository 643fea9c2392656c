import { type Json, prettyJson } from "#core/canonical-json.ts";
import { Fault, isFault } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import type { CompiledProfile } from "#provisioner/profiles/profile.ts";
import { nixosDirectory, readOwnConfiguration } from "./adopt.ts";
import type { Base, GitBase, Pin, Pins, Platform } from "./base.ts";
import { findPlatform } from "./find-platform.ts";
import { findRootStack } from "./root-stack.ts";
import type { SourceFile } from "./sources.ts";

/** What a base is decided from; once recorded, only the pins, the revision of a base from Git, the disks of the root file system, and the owner's local.nix are read anew. */
export interface BaseQuestion {
  readonly io: Io;
  readonly facts: Facts;
  /** The profile that applies, or `null`. */
  readonly profile: CompiledProfile | null;
  /** From the first spec. */
  readonly mutableUsers: boolean | undefined;
  /** Of the image. */
  readonly settings: { readonly stateVersion?: string };
  readonly agentModule: readonly SourceFile[];
  /** What the settings name in Git, its tree in the store. */
  readonly git?: GitBase | undefined;
}

/** Decided anew until the first commit, and never again. */
interface BaseRecord {
  readonly v: 1;
  readonly kind: Base["kind"];
  readonly files: readonly SourceFile[];
  readonly platform: Platform | null;
  readonly stateVersion: string;
  readonly mutableUsers: boolean | null;
  readonly settings: Base["settings"];
  readonly git?: GitBase;
}

/** The base of what is on trial; the last one that was. */
interface Proposal {
  readonly v: 1;
  readonly sourcesDigest: string;
  readonly base: BaseRecord;
}

const recordFile = "/var/lib/firstlight/base/base.json";
const proposalFile = "/var/lib/firstlight/base/on-trial.json";
/** Pins of the image, written by `nixos/module.nix`. */
export const pinsFile = "/etc/firstlight/pins.json";

/** The base of this instance: as recorded, or as it would be decided now. Writes nothing. */
export function decideBase(question: BaseQuestion): Base {
  const { files } = question.io;
  const { base: _published, ...pins } = readPins(question.io);
  const record = readRecord(files) ?? decide(question, pins);
  // Whether a base is from Git is decided once; which revision of it is a pin, as the others are.
  const release = releaseOf(files, pins.nixpkgs);
  const git = record.git === undefined ? undefined : (question.git ?? record.git);
  return {
    ...record,
    ...(git === undefined ? {} : { git }),
    ...(release === undefined ? {} : { release }),
    // A container has no initial RAM disk.
    root: question.facts.virtualisation === "container" ? null : findRootStack(files),
    pins: { ...pins, ...(git === undefined ? {} : { base: pinOf(git) }) },
    ...absentImports(files, question.profile, pins["nixos-hardware"]),
    local: files.readText(`${nixosDirectory}/local.nix`, { maxBytes: 1024 * 1024 }) ?? null,
    agentModule: question.agentModule,
  };
}

/** What the profile would import and the pinned tree has not, where that tree is on this machine. */
function absentImports(
  files: Files,
  profile: CompiledProfile | null,
  pin: Pin | undefined,
): Pick<Base, "absentImports"> {
  if (pin === undefined || profile === null || files.stat(pin.storePath) === undefined) return {};
  const absent = profile.nixos.imports.filter(
    (name) => !isModule(files, `${pin.storePath}/${name}`),
  );
  return absent.length === 0 ? {} : { absentImports: absent };
}

/** Whether Nix can import it: a file, or a directory with a `default.nix`. */
function isModule(files: Files, path: string): boolean {
  const real = files.realPath(path);
  if (real === undefined) return false;
  return files.stat(real)?.kind !== "directory" || files.stat(`${real}/default.nix`) !== undefined;
}

function pinOf({ storePath, narHash, rev }: GitBase): Pin {
  return { storePath, narHash, revision: rev };
}

/** Whether this instance stands on something else than Git since its first commit. */
export function isDecidedOtherwise(files: Files): boolean {
  const record = readRecord(files);
  return record !== undefined && record.git === undefined;
}

/**
 * Keeps the base of sources that are to be tried: another process may commit them, after a restart of
 * the machine, when what it was decided from is no longer there. Nothing where a base is recorded.
 */
export function proposeBase({ files }: Io, base: Base, sourcesDigest: string): void {
  if (readRecord(files) !== undefined) return;
  const proposal: Proposal = { v: 1, sourcesDigest, base: recordOf(base) };
  files.write(proposalFile, prettyJson(proposal), { mode: 0o600 });
}

/**
 * Records the base that was proposed for these sources, once their system has proved itself and before
 * it is committed, so that no commit is without the record. Nothing where there is one.
 */
export function recordBase({ files }: Io, sourcesDigest: string | null): void {
  if (readRecord(files) !== undefined) return;
  const proposal = readProposal(files);
  if (proposal === undefined || proposal.sourcesDigest !== sourcesDigest) return;
  files.write(recordFile, prettyJson(proposal.base), { mode: 0o600 });
  files.remove(proposalFile);
}

/** A damaged one is none, and holds no commit up: what was adopted is read back from what is published. */
function readProposal(files: Files): Proposal | undefined {
  try {
    return readVersion<Proposal>(files, proposalFile);
  } catch (error) {
    if (isFault(error, "base/damaged")) return undefined;
    throw error;
  }
}

function recordOf(base: Omit<BaseRecord, "v">): BaseRecord {
  const { kind, files, platform, stateVersion, mutableUsers, settings, git } = base;
  const decided = { kind, files, platform, stateVersion, mutableUsers, settings };
  return { v: 1, ...decided, ...(git === undefined ? {} : { git }) };
}

function decide({ io, facts, settings, ...question }: BaseQuestion, pins: Pins): BaseRecord {
  const { git } = question;
  const own = git === undefined ? readOwnConfiguration(io.files) : [];
  const record = recordOf({
    ...(git === undefined ? {} : { git }),
    kind: own === undefined ? "platform" : "adopted",
    files: own ?? [],
    platform:
      own === undefined && question.profile?.nixos.platform == null
        ? findPlatform(io.files, facts)
        : null,
    stateVersion: settings.stateVersion ?? releaseOf(io.files, pins.nixpkgs) ?? unknownRelease(),
    mutableUsers: question.mutableUsers ?? (own === undefined ? true : null),
    settings: settings as { readonly [key: string]: Json },
  });
  // As it is read back: the order of keys is one that files show.
  return JSON.parse(prettyJson(record)) as BaseRecord;
}

function readRecord(files: Files): BaseRecord | undefined {
  return readVersion<BaseRecord>(files, recordFile);
}

function readVersion<T extends { readonly v: 1 }>(files: Files, file: string): T | undefined {
  const text = files.readText(file, { maxBytes: 32 * 1024 * 1024 });
  if (text === undefined) return undefined;
  try {
    const record = JSON.parse(text) as T;
    if (record.v === 1) return record;
  } catch (cause) {
    throw damaged(file, cause);
  }
  throw damaged(file, undefined);
}

function damaged(file: string, cause: unknown): Fault {
  return new Fault("base/damaged", `${file}: expected a record of version 1`, { cause });
}

/** Pins of the image, else what NIX_PATH calls nixpkgs; the latter without a hash. */
export function readPins(io: Io): Pins {
  const text = io.files.readText(pinsFile, { maxBytes: 64 * 1024 });
  if (text !== undefined) return parsePins(text);
  const entry = (io.env["NIX_PATH"] ?? "").split(":").find((part) => part.startsWith("nixpkgs="));
  const path = entry?.slice("nixpkgs=".length);
  return path === undefined || !path.startsWith("/")
    ? {}
    : { nixpkgs: { storePath: path, narHash: null, revision: null } };
}

function parsePins(text: string): Pins {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Fault("base/pins", `${pinsFile}: not JSON`, { cause });
  }
  const entries = Object.entries((value ?? {}) as Record<string, Partial<Pin>>);
  for (const [name, pin] of entries) {
    if (
      !["nixpkgs", "nixos-hardware", "home-manager", "firstlight", "base"].includes(name) ||
      typeof pin?.storePath !== "string"
    ) {
      throw new Fault(
        "base/pins",
        `${pinsFile}: expected pins by name with a storePath, got ${JSON.stringify(name)}`,
      );
    }
  }
  return Object.fromEntries(
    entries.map(([name, pin]) => [
      name,
      {
        storePath: pin.storePath ?? "",
        narHash: pin.narHash ?? null,
        revision: pin.revision ?? null,
      },
    ]),
  );
}

/** The release in a tree of nixpkgs, else that of the system that runs: `26.05`. */
export function releaseOf(files: Files, pin: Pin | undefined): string | undefined {
  for (const name of ["lib/.version", ".version"]) {
    const text =
      pin === undefined
        ? undefined
        : files.readText(`${pin.storePath}/${name}`, { maxBytes: 1024 });
    const [release] = /^[0-9]{2}\.[0-9]{2}/.exec(text ?? "") ?? [];
    if (release !== undefined) return release;
  }
  return releaseOfSystem(files);
}

/** The release of the system that runs. */
function releaseOfSystem(files: Files): string | undefined {
  const text = files.readText("/etc/os-release", { maxBytes: 64 * 1024 }) ?? "";
  return /^ID="?nixos"?$/m.test(text)
    ? /^VERSION_ID="?([0-9]{2}\.[0-9]{2})/m.exec(text)?.[1]
    : undefined;
}

function unknownRelease(): never {
  throw new Fault(
    "base/no-release",
    "the release of NixOS is not known: no pinned nixpkgs says it, and the settings do not either",
    {
      hint: "set `stateVersion` in /etc/firstlight/settings.json, or pin nixpkgs",
    },
  );
}
