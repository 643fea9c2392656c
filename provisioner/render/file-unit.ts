import { sha256 } from "#core/canonical-json.ts";
import type { File } from "#generated/provisioner/spec/v1.ts";
import {
  type AttrsEntry,
  attrs,
  bind,
  bool,
  call,
  list,
  type NixExpr,
  ref,
  str,
} from "#provisioner/nix-language/tree.ts";
import { systemDirectoryOf } from "#provisioner/nixos-paths/common-directories.ts";
import {
  type Assignment,
  addFinding,
  assign,
  type Concern,
  credential,
  firstSaid,
  loadCredentials,
  shellWord,
} from "./assignment.ts";
import type { CredentialFile } from "./base.ts";
import { credentialLimitBytes, groupsWithinLimit, sizeOf } from "./credential-limit.ts";
import { addFunction, eachEnd, eachStart, enterFunction, putFunction } from "./file-shell.ts";
import { instanceScope } from "./instance-scope.ts";
import { madeMounts } from "./made-mounts.ts";
import { type MountUnit, mountsAt, mountUnits, storageUnits } from "./mount-order.ts";
import { onceFunction, stampsFunction, stampWord } from "./once-shell.ts";

/** What a file is made of: text that may stand in the store, or a secret. */
export type FilePart = { readonly index: number } & (
  | { readonly text: string }
  | { readonly secret: string }
);

/** One path, and everything that the spec puts there. */
export interface PlacedFile {
  /** The entry that names owner, group and mode. */
  readonly file: File;
  /** The last entry of this path. */
  readonly last: File;
  readonly index: number;
  readonly parts: readonly FilePart[];
  /** Whether it takes the place of what is there; else its parts are added, each once. */
  readonly replaces: boolean;
}

/**
 * When files are put in place: before the network and early commands; before the network, on disks that these
 * commands may make; or when the network and all file systems are up.
 */
export type FileMoment = "early" | "mounted" | "deferred";

interface FileUnit {
  readonly files: readonly PlacedFile[];
  readonly moment: FileMoment;
}

const unitNames: Readonly<Record<FileMoment, string>> = {
  early: "firstlight-files",
  mounted: "firstlight-files-mounted",
  deferred: "firstlight-files-deferred",
};

const descriptions: Readonly<Record<FileMoment, string>> = {
  early: "Put files of the spec in place",
  mounted: "Put files of the spec in place, those on its mounts",
  deferred: "Put files of the spec in place, the later ones",
};

/**
 * The units that put files in place, one after another: more than one only where their secrets are
 * more than systemd hands to one. The last has the name that others wait for.
 */
export function renderFileUnits(
  concern: Concern,
  { files, moment }: FileUnit,
): readonly Assignment[] {
  if (files.length === 0) return [];
  const name = unitNames[moment];
  const secretsOf = (file: PlacedFile) => secretFiles(concern, file);
  for (const file of files) refuseTooLarge(concern, file);
  const groups = groupsWithinLimit(files, secretsOf);
  const nameOf = (at: number) => (at === groups.length - 1 ? name : `${name}-${at + 1}`);
  return groups.map((group, at) => {
    const before = at === 0 ? [] : [`${nameOf(at - 1)}.service`];
    const unit = fileUnit(concern, { files: group, moment }, before);
    const from = group.map(({ index }) => ["files", String(index)]);
    return assign(["systemd", "services", nameOf(at)], unit, firstSaid(concern, from));
  });
}

function secretFiles(concern: Concern, { parts }: PlacedFile): readonly CredentialFile[] {
  return parts.flatMap((part) => ("secret" in part ? [credential(concern, part.secret)] : []));
}

/** A file is made at once, so that all that it is made of must come to one unit. */
function refuseTooLarge(concern: Concern, file: PlacedFile): void {
  const secrets = secretFiles(concern, file);
  const isOneTooLarge = secrets.some((each) => sizeOf([each]) > credentialLimitBytes);
  if (isOneTooLarge || sizeOf(secrets) <= credentialLimitBytes) return;
  const message = `the secrets of this file are more than the ${credentialLimitBytes} bytes that systemd hands over`;
  const hint = "let a command fetch it, or make several files of it";
  addFinding(
    concern,
    ["files", String(file.index)],
    "error",
    "render/secret-too-large",
    message,
    hint,
  );
}

/**
 * A unit that puts files in place in order; a changed file or secret changes the unit, and so
 * runs it again. Texts reach it through its environment, so that no text is part of a script.
 */
function fileUnit(
  concern: Concern,
  { files, moment }: FileUnit,
  before: readonly string[],
): NixExpr {
  const parts = files.flatMap((file) => file.parts);
  const texts = parts.flatMap((part) =>
    "text" in part
      ? [
          bind(
            variable(part.index),
            call(ref("pkgs", "writeText"), str(`file-${part.index}`), str(part.text)),
          ),
        ]
      : [],
  );
  return attrs([
    bind("description", str(descriptions[moment])),
    ...(moment === "deferred"
      ? afterNetwork(concern, before)
      : beforeNetwork(
          [...before, ...(moment === "mounted" ? madeMounts(concern.spec).after : [])],
          placesOf(concern, files),
        )),
    ...(texts.length === 0 ? [] : [bind("environment", attrs(texts))]),
    ...(files.some((each) => each.file.once === true && innermostMount(concern, each))
      ? [bind("path", list([ref("pkgs", "util-linux")]))]
      : []),
    bind("script", str(script(concern, files))),
    bind(
      "serviceConfig",
      attrs([
        bind("Type", str("oneshot")),
        bind("RemainAfterExit", bool(true)),
        bind("TimeoutStartSec", str("5min")),
        ...credentials(concern, parts),
      ]),
    ),
  ]);
}

/** What the files lie on, and what is mounted for them: in a switch nothing else may ask for that so early. */
interface Places {
  readonly units: readonly string[];
  readonly wanted: readonly string[];
}

function placesOf({ spec }: Concern, files: readonly PlacedFile[]): Places {
  const all = mountUnits(spec);
  const used = new Set(files.flatMap(({ file }) => mountsAt(all, file.path)));
  return {
    units: [...used].map(({ unit }) => unit),
    wanted: [...used].filter(({ isWanted }) => isWanted).map(({ unit }) => unit),
  };
}

/** Before the network at boot, and before other units where a switch starts them. */
function beforeNetwork(before: readonly string[], places: Places): readonly AttrsEntry[] {
  const after = [...before, ...places.units];
  return [
    bind("wantedBy", list([str("multi-user.target"), str("sysinit-reactivation.target")])),
    bind("wants", list(["network-pre.target", ...places.wanted].map(str))),
    bind("before", list([str("network-pre.target"), str("sysinit-reactivation.target")])),
    ...(after.length === 0 ? [] : [bind("after", list(after.map(str)))]),
  ];
}

function afterNetwork({ spec }: Concern, after: readonly string[]): readonly AttrsEntry[] {
  const all = [
    "network-online.target",
    "firstlight-files.service",
    "firstlight-files-mounted.service",
    ...after,
    ...storageUnits(spec),
  ];
  return [
    bind("wantedBy", list([str("multi-user.target")])),
    bind("wants", list([str("network-online.target")])),
    bind("after", list(all.map(str))),
  ];
}

function credentials(concern: Concern, parts: readonly FilePart[]): readonly AttrsEntry[] {
  const secrets = parts.flatMap((part) => ("secret" in part ? [part.secret] : []));
  return loadCredentials(secrets.map((name) => credential(concern, name)));
}

function script(concern: Concern, files: readonly PlacedFile[]): string {
  const adds = files.some(({ replaces }) => !replaces);
  const known = new Map<string, number>();
  const calls = files.map((placed) => {
    const { file, parts, replaces } = placed;
    const { mode = "0644", owner = "root", group = "root" } = file;
    const system = systemDirectoryOf(file.path);
    const attributes = [mode, owner, group, system, file.path].map(shellWord).join(" ");
    const sources = parts.map((part) => contents(concern, part));
    if (replaces) return putLine(concern, placed, `put ${attributes} ${sources.join(" ")}`);
    return parts
      .map(
        (part, at) => `add ${stamp(concern, placed, part, known)} ${attributes} ${sources[at]}\n`,
      )
      .join("");
  });
  const isOnce = files.some(({ file }) => file.once === true);
  const functions = [
    ...[enterFunction, putFunction],
    ...(adds || isOnce ? [stampsFunction] : []),
    ...(adds ? [addFunction] : []),
    ...(isOnce ? [onceFunction] : []),
  ];
  return [...functions, `${eachStart}${calls.join("")}${eachEnd}`].join("\n");
}

/** What is wanted once is put again for another instance, or where it is to be another. */
function putLine(concern: Concern, placed: PlacedFile, line: string): string {
  if (placed.file.once !== true) return `${line}\n`;
  const { path, mode, owner, group } = placed.file;
  const versions = placed.parts.map((part) => versionOf(concern, part));
  const what = sha256(JSON.stringify([mode, owner, group, versions])).slice(0, 16);
  const mount = innermostMount(concern, placed);
  // It is made anew: what a link in its place leads to is nothing to it.
  const stamp = onceStamp(concern, path, `file-${sha256(path).slice(0, 16)}`);
  const once = `once ${stamp} ${what} ${line}\n`;
  if (mount === undefined) return once;
  // Below a mount that is not there it is put, and is still to be put there.
  return `if mountpoint -q ${shellWord(mount.path)}; then\n  ${once}else\n  ${line}\nfi\n`;
}

/** What is gone with a boot is put again in the next; what is in memory is, and of /tmp it may be. */
function onceStamp({ instanceId }: Concern, path: string, name: string): string {
  if (!/^\/(?:run|tmp|var\/run)\//.test(path)) {
    return stampWord(instanceId, directoryOf(path), name);
  }
  return `/run/firstlight/stamps/${instanceScope(instanceId)}/${name}`;
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

function innermostMount({ spec }: Concern, { file }: PlacedFile): MountUnit | undefined {
  const all = [...mountsAt(mountUnits(spec), file.path)];
  return all.sort((a, b) => b.path.length - a.path.length)[0];
}

function versionOf(concern: Concern, part: FilePart): string {
  return "text" in part ? sha256(part.text) : credential(concern, part.secret).version;
}

function contents(concern: Concern, part: FilePart): string {
  if ("text" in part) return `"$${variable(part.index)}"`;
  return `"$CREDENTIALS_DIRECTORY/${credential(concern, part.secret).name}"`;
}

function variable(index: number): string {
  return `FILE_${index}`;
}

/** Of what is added where: entries may be put between others, and the same text may come twice. */
function stamp(
  concern: Concern,
  { file }: PlacedFile,
  part: FilePart,
  known: Map<string, number>,
): string {
  const version = versionOf(concern, part);
  const what = `${concern.instanceId}\0${file.path}\0${version}`;
  const times = known.get(what) ?? 0;
  known.set(what, times + 1);
  const name = `append-${sha256(`${what}\0${times}`).slice(0, 16)}`;
  return stampWord(concern.instanceId, file.path, name); // what /tmp keeps over a boot has it already
}
