import { Fault } from "#core/fault.ts";
import type { ExecResult, Io } from "#core/io.ts";
import { printable } from "#core/printable.ts";
import { canEvaluateApart, fetchApart } from "#provisioner/system/evaluate-apart.ts";

/** A commit that was fetched, and where the store keeps its tree. */
export interface FetchedCommit {
  readonly storePath: string;
  /** As Git keeps it: its name is the digest of these bytes. */
  readonly commit: Uint8Array;
}

/** Brings one commit of a repository, and puts its tree into the Nix store. */
export type FetchCommit = (from: {
  readonly git: string;
  readonly rev: string;
}) => Promise<FetchedCommit>;

const timeoutMs = 600_000;
const unreachable = 10;
const noSuchRevision = 11;

/**
 * One commit where the server gives one, else everything that it names. The tree is taken as it was
 * committed: attributes that change files on their way out (ends of lines, `$Id$`) do nothing, so that what
 * lies in the store is the tree that the commit names. No configuration of this machine counts, and
 * nobody is asked for a password.
 */
const script = `
set -eu
umask 022
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
cd "$home"
export HOME="$home" XDG_CONFIG_HOME="$home" GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 LC_ALL=C
export GIT_ALLOW_PROTOCOL=file:http:https
printf '[safe]\\n\\tdirectory = *\\n[transfer]\\n\\tfsckObjects = true\\n' > .gitconfig
git init -q --bare repository
mkdir -p repository/info source
echo '* -text -filter -ident -working-tree-encoding' > repository/info/attributes
bring() { git -C repository fetch -q --no-tags "$@"; }
bring --depth 1 "$1" "$2" 2> said ||
  bring "$1" '+refs/*:refs/fetched/*' 2> said || { cat said >&2; exit ${unreachable}; }
git -C repository cat-file -e "$2^{commit}" 2> said || exit ${noSuchRevision}
git -C repository --work-tree "$home/source" read-tree "$2"
git -C repository --work-tree "$home/source" checkout-index --all
nix-store --add source
git -C repository cat-file commit "$2" | base64
`;

/**
 * Fetches with the machine's own Git, as a user without privileges where systemd and a Nix daemon are. Throws
 * `base/git-unreachable`, `base/git-revision` or `base/git-fetch`.
 */
export function gitFetcher(io: Io): FetchCommit {
  return async ({ git, rev }) => {
    const apart = canEvaluateApart(io.files, io.env, {
      systemd: io.files.stat("/run/systemd/system")?.kind === "directory",
      daemonSocket: "/nix/var/nix/daemon-socket/socket",
    });
    // By its path: NixOS has no sh on the path of a unit.
    const plain = { argv: ["/bin/sh", "-c", script, "fetch", git, rev] as const, timeoutMs };
    const line = apart ? fetchApart(plain, io.env["PATH"]) : plain;
    const [file, ...args] = line.argv;
    const result = await io.exec({ file, args, timeoutMs, effect: "fetch the base from Git" });
    if (result.code !== 0) throw failed({ git, rev }, result);
    const [storePath = "", ...base64] = result.stdout.trim().split("\n");
    return { storePath, commit: Buffer.from(base64.join(""), "base64") };
  };
}

function failed(
  { git, rev }: Parameters<FetchCommit>[0],
  { code, timedOut, stderr }: ExecResult,
): Fault {
  if (code === noSuchRevision)
    return new Fault("base/git-revision", `${git}: has no commit ${rev}`);
  const said = stderr.trim().split("\n").at(-1) ?? "";
  const words = printable(said.replace(/^(fatal|error): /, "").slice(0, 300));
  const why = timedOut ? `nothing came within ${timeoutMs / 60_000} minutes` : words;
  return code === unreachable || timedOut
    ? new Fault("base/git-unreachable", `${git}: ${why || "cannot be fetched"}`)
    : new Fault("base/git-fetch", `${git}: ${why || `the fetch ended with ${code}`}`);
}
