import { createHash } from "node:crypto";
import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import { nearest } from "#core/nearest.ts";
import { printable } from "#core/printable.ts";
import type { GitBase } from "#provisioner/render/base.ts";
import { parseSha256 } from "#provisioner/system/fetch/nix-hash.ts";
import { commitSigner, readCommit } from "./commit-signature.ts";
import type { FetchCommit, FetchedCommit } from "./fetch-git.ts";
import { objectId, treeOf } from "./git-object.ts";
import { type GitSettings, sourcePath, sriHash } from "./locked-source.ts";

/** Where the settings stand, for messages. */
const settingsFile = "/etc/firstlight/settings.json";
/** Commits whose tree was found to be what the store holds. */
const commits = "/var/lib/firstlight/base/commits";
const maxCommitBytes = 1024 * 1024;

/**
 * What obtaining a base needs. Without `fetch`, as on a machine that is only looked at, what lies in its store is
 * taken as it is, and what does not is not had.
 */
export interface ObtainOptions {
  readonly io: Io;
  readonly fetch: FetchCommit | undefined;
}

/**
 * The base that the settings name, its tree in the store: fetched where it is not there yet, and never
 * asked for again. Nothing of it is evaluated before its content is what `narHash` says and, where
 * `signers` are named, before the commit that they signed names this very tree. Throws `base/git-…`.
 */
export async function obtainGitBase(
  settings: GitSettings,
  options: ObtainOptions,
): Promise<GitBase> {
  const { git, rev, narHash } = settings;
  checkForm(narHash);
  const { files } = options.io;
  const storePath = sourcePath(narHash);
  const record = `${commits}/${recordName(settings)}`;
  const signers = settings.signers ?? [];
  const known = signers.length === 0 ? undefined : readRecord(options.io, record);
  const isThere = await isInStore(options, storePath);
  if (!isThere || (signers.length > 0 && known === undefined)) {
    const fetched = await fetchWhole(settings, options);
    if (signers.length > 0) {
      checkSigned(settings, fetched.commit);
      checkTree(options.io, { ...settings, storePath }, fetched.commit);
      files.write(record, fetched.commit, { mode: 0o600 });
    }
  } else if (known !== undefined) checkSigned(settings, known);
  return {
    ...{ url: git, rev, narHash: sriHash(narHash), storePath },
    entry: findEntry(options.io, settings, storePath),
  };
}

/** What the running system refers to. */
const basePin = "/run/current-system/etc/firstlight/pins/base";

/**
 * Whether the store holds the tree whole: a directory may be what a crash has left of one. Of the base of the
 * system that runs nobody needs to be asked.
 */
async function isInStore({ io, fetch }: ObtainOptions, storePath: string): Promise<boolean> {
  if (io.files.stat(storePath)?.kind !== "directory") return false;
  if (fetch === undefined || io.files.readLink(basePin) === storePath) return true;
  const args = ["--check-validity", storePath];
  return (await io.exec({ file: "nix-store", args, timeoutMs: 60_000 })).code === 0;
}

/** Letters that no hash ends with pass the form of the settings. */
function checkForm(narHash: string): void {
  if (parseSha256(narHash) !== undefined) return;
  throw new Fault("base/git-hash", `${settingsFile}: base.narHash is no SHA-256: ${narHash}`);
}

function recordName({ rev, narHash }: GitSettings): string {
  return `${rev}@${createHash("sha256").update(sriHash(narHash)).digest("hex").slice(0, 16)}`;
}

function readRecord({ files }: Io, record: string): Uint8Array | undefined {
  return files.read(record, { maxBytes: maxCommitBytes });
}

async function fetchWhole(
  settings: GitSettings,
  { io, fetch }: ObtainOptions,
): Promise<FetchedCommit> {
  const { git, rev, narHash } = settings;
  if (fetch === undefined)
    throw new Fault(
      "base/git-fetch",
      `${git}: ${rev} is not in the store, and nothing is fetched here`,
    );
  const fetched = await fetch({ git, rev });
  if (objectId("commit", fetched.commit) !== rev)
    throw new Fault("base/git-fetch", `${git}: what was fetched is not the commit ${rev}`);
  const got = await hashOf(io, fetched.storePath);
  if (got !== sriHash(narHash))
    throw new Fault(
      "base/git-hash",
      `${git}: the tree of ${rev} has the narHash ${got}, and ${settingsFile} says ${sriHash(narHash)}`,
      { hint: "where that is the commit that you mean, write the first into `base.narHash`" },
    );
  return fetched;
}

/** By the store's own word: the program that fetched is not asked what it has put there. */
async function hashOf(io: Io, storePath: string): Promise<string> {
  const isPath = /^\/nix\/store\/[0-9a-z]{32}-source$/.test(storePath);
  const args = ["--query", "--hash", storePath];
  const result = isPath
    ? await io.exec({ file: "nix-store", args, timeoutMs: 60_000 })
    : { code: 1, stdout: "" };
  try {
    if (result.code === 0) return sriHash(result.stdout.trim());
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new Fault("base/git-fetch", "expected the tree in the Nix store, where it is not");
}

function checkSigned({ git, rev, signers = [] }: GitSettings, commit: Uint8Array): void {
  const found =
    objectId("commit", commit) === rev
      ? commitSigner(readCommit(commit), signers)
      : { why: "what is kept of the commit is damaged" };
  if ("why" in found) throw new Fault("base/git-signature", `${git}: ${rev}: ${found.why}`);
}

/** A signature is of a commit, and the commit names a tree: it has to be the one that is built from. */
function checkTree(
  { files }: Io,
  { git, rev, storePath }: GitSettings & { readonly storePath: string },
  commit: Uint8Array,
): void {
  if (readCommit(commit).tree === treeOf(files, storePath)) return;
  throw new Fault(
    "base/git-signature",
    `${git}: ${rev}: the tree in the store is not the one that the signed commit names`,
    { hint: "a repository with submodules cannot be a signed base" },
  );
}

function findEntry(
  io: Io,
  { git, path: said, flake }: GitSettings,
  storePath: string,
): GitBase["entry"] {
  if (said !== undefined && flake !== undefined)
    throw new Fault("base/git-path", `${git}: expected \`path\` or \`flake\`, and not both`);
  const path = said ?? "configuration.nix";
  const isFile = (name: string) => io.files.stat(`${storePath}/${name}`)?.kind === "file";
  if (flake !== undefined) {
    checkFlake(io, { git, flake, isThere: isFile("flake.nix") });
    return { flake: flake.split(".") };
  }
  const found = [path, `${path}/default.nix`, `${path}/configuration.nix`].find(isFile);
  if (found !== undefined) return { file: found };
  const parent = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
  const beside = io.files
    .list(`${storePath}/${parent}`)
    .map((name) => join(parent, printable(name)));
  const near = nearest(
    path,
    beside.filter((name) => name !== path),
  );
  throw new Fault("base/git-path", `${git}: the tree has no module at ${path}`, {
    hint:
      near === undefined
        ? "name a file, or a directory with a default.nix or a configuration.nix, in `base.path`"
        : `did you mean \`${near}\`?`,
  });
}

function join(parent: string, name: string): string {
  return parent === "" ? name : `${parent}/${name}`;
}

/** Nix has `builtins.getFlake` only where its experimental feature is on. */
function checkFlake(
  { files, env }: Io,
  {
    git,
    flake,
    isThere,
  }: { readonly git: string; readonly flake: string; readonly isThere: boolean },
): void {
  if (!isThere) throw new Fault("base/git-flake", `${git}: the tree has no flake.nix`);
  const config = `${files.readText("/etc/nix/nix.conf") ?? ""}\n${env["NIX_CONFIG"] ?? ""}`;
  if (/^[ \t]*(extra-)?experimental-features[ \t]*=.*\bflakes\b/m.test(config)) return;
  throw new Fault(
    "base/git-flake",
    `${git}: Nix reads no flakes on this machine, and ${flake} is of one`,
    {
      hint: "name the module's file in `base.path`, or put `flakes` into nix.settings.experimental-features",
    },
  );
}
