import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import { describeFault, Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { FleetKey } from "#generated/fleet/trust/fleet-key.ts";
import { validate as validateKey } from "#generated/fleet/trust/fleet-key.validate.js";
import { validate as validateSettings } from "#generated/fleet/trust/fleet-settings.validate.js";
import type { StoredNodeSet } from "#generated/fleet/trust/node-set.ts";
import { validate as validateSet } from "#generated/fleet/trust/node-set.validate.js";
import type { RootMetadata } from "#generated/protocol/trust/root.ts";
import type { TargetsMetadata } from "#generated/protocol/trust/targets.ts";
import { requireTarget } from "#protocol/trust/assignment.ts";
import { canonicalBytes } from "#protocol/trust/canonical.ts";
import { readKey } from "#protocol/trust/keys.ts";
import {
  asRoot,
  asSnapshot,
  asTargets,
  asTimestamp,
  checked,
  type Metadata,
} from "#protocol/trust/metadata.ts";
import { followRoots } from "#protocol/trust/root-chain.ts";
import {
  delegatedSigners,
  isVouchedFor,
  type RootRole,
  requireThreshold,
  type Signers,
  signersOf,
} from "#protocol/trust/threshold.ts";
import { type TrustedState, trustedFromRoot } from "#protocol/trust/trusted.ts";
import { parseSignedClosure } from "#provisioner/system/fetch/verify-manifest.ts";
import { releaseNamePattern, signingPlaces } from "./places.ts";
import { type NodeSet, newest, type Repository } from "./repository.ts";

/** One file that was looked at; `fault` says why it is not what the owners signed. */
export interface Check {
  readonly file: string;
  readonly fault?: string;
}

const maxBytes = 8 * 1024 * 1024;
const maxClosureBytes = 32 * 1024 * 1024;

/**
 * Reads a signing repository whole. Throws `signing/no-repository`, and `signing/damaged` with the name
 * of the first file that is not what the owners have signed.
 */
export function readRepository(files: Files, directory: string): Repository {
  const { repository, checks } = inspectRepository(files, directory);
  const bad = checks.find(({ fault }) => fault !== undefined);
  if (bad === undefined) return repository;
  throw new Fault("signing/damaged", `${bad.file}: ${bad.fault}`);
}

/**
 * Looks at every file of a signing repository: what can be read of it, and what of each file. A file
 * that is wrong is left out of the repository. Changes nothing. Throws `signing/no-repository`.
 */
export function inspectRepository(
  files: Files,
  directory: string,
): { readonly repository: Repository; readonly checks: readonly Check[] } {
  const reader = new RepositoryReader(files, directory);
  return { repository: reader.read(), checks: reader.checks };
}

/** The keys of a directory by name, also before there is a fleet in it. Throws `signing/damaged`. */
export function readKeyFiles(files: Files, directory: string): Map<string, FleetKey> {
  const reader = new RepositoryReader(files, directory);
  const keys = reader.readKeys();
  const bad = reader.checks.find(({ fault }) => fault !== undefined);
  if (bad !== undefined) throw new Fault("signing/damaged", `${bad.file}: ${bad.fault}`);
  return new Map(keys);
}

class RepositoryReader {
  readonly checks: Check[] = [];
  readonly #files: Files;
  readonly #directory: string;

  constructor(files: Files, directory: string) {
    this.#files = files;
    this.#directory = directory;
  }

  read(): Repository {
    const directory = this.#directory;
    const fleet = this.#fleet();
    const keys = this.readKeys();
    const roots = this.#roots();
    const targets = this.#targets(roots);
    const staged = this.#staged(roots, targets);
    this.#documents(newest(targets), this.#metadataFile(newestVersion(targets), "targets"));
    this.#documents(staged.targets, `${signingPlaces(directory).staged}/targets.json`);
    const nodes = this.#nodes(fleet, { roots, targets });
    return { directory, fleet, keys, roots, targets, staged, nodes };
  }

  /** What a file says; a fault of it is remembered under its name. */
  #at<T>(file: string, look: () => T): T | undefined {
    try {
      const seen = look();
      this.checks.push({ file });
      return seen;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.checks.push({ file, fault: describeFault(error).message });
      return undefined;
    }
  }

  #json(file: string): unknown {
    const text = this.#files.readText(file, { maxBytes });
    if (text === undefined) throw wrong("it is missing");
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw wrong("expected JSON", cause);
    }
  }

  #fleet(): string {
    const { settings } = signingPlaces(this.#directory);
    if (this.#files.stat(settings) === undefined)
      throw new Fault("signing/no-repository", `${settings}: there is no such file`);
    const said = this.#at(settings, () =>
      checked<{ fleet: string }>(validateSettings, this.#json(settings), "fleet"),
    );
    return said?.fleet ?? "";
  }

  readKeys(): ReadonlyMap<string, FleetKey> {
    const { keys } = signingPlaces(this.#directory);
    const read = this.#names(keys, /^(.+)\.json$/).flatMap(([file, name]) => {
      const key = this.#at(file, () => {
        const each = checked<FleetKey>(validateKey, this.#json(file), "key");
        if (each.name !== name) throw wrong(`it calls itself ${each.name}`);
        readKey(each.keyid, each.key);
        return each;
      });
      return key === undefined ? [] : [[name, key] as const];
    });
    return new Map(read);
  }

  /** Version by version; a chain ends at the first link that does not hold. */
  #roots(): readonly RootMetadata[] {
    const roots: RootMetadata[] = [];
    let state: TrustedState | undefined;
    for (const version of this.#versions("root")) {
      const file = this.#metadataFile(version, "root");
      const root = this.#at(file, () => {
        if (version !== roots.length + 1)
          throw wrong(`${this.#metadataFile(roots.length + 1, "root")} is missing before it`);
        const each = asRoot(this.#json(file));
        requireVersion(each, version);
        state = state === undefined ? trustedFromRoot(each) : follow(state, each);
        return each;
      });
      if (root === undefined) break;
      roots.push(root);
    }
    return roots;
  }

  #targets(roots: readonly RootMetadata[]): readonly TargetsMetadata[] {
    return this.#versions("targets").flatMap((version, index) => {
      const file = this.#metadataFile(version, "targets");
      const read = this.#at(file, () => {
        if (version !== index + 1)
          throw wrong(`${this.#metadataFile(index + 1, "targets")} is missing before it`);
        const each = asTargets(this.#json(file), "targets");
        requireVersion(each, version);
        requireAnyRoot(each, "targets", roots);
        return each;
      });
      return read === undefined ? [] : [read];
    });
  }

  /** What is published already was left by a killed run, and waits no more. */
  #staged(
    roots: readonly RootMetadata[],
    targets: readonly TargetsMetadata[],
  ): Repository["staged"] {
    const { staged } = signingPlaces(this.#directory);
    const read = <T extends Metadata>(name: string, as: (value: unknown) => T, known: number) => {
      const file = `${staged}/${name}.json`;
      if (this.#files.stat(file) === undefined) return undefined;
      const found = this.#at(file, () => as(this.#json(file)));
      return found !== undefined && found.signed.version > known ? { file, found } : undefined;
    };
    const root = read("root", asRoot, newest(roots)?.signed.version ?? 0);
    const next = read("targets", (value) => asTargets(value, "targets"), newestVersion(targets));
    if (root !== undefined)
      this.#at(root.file, () => requireOwnSignatures(root.found, [...roots, root.found], "root"));
    if (next !== undefined) {
      const all = root === undefined ? roots : [...roots, root.found];
      this.#at(next.file, () => requireOwnSignatures(next.found, all, "targets"));
    }
    return { root: root?.found, targets: next?.found };
  }

  /** Documents of releases and manifests of systems that the image role names. */
  #documents(targets: TargetsMetadata | undefined, source: string): void {
    const { releases, closures } = signingPlaces(this.#directory);
    for (const [path, target] of Object.entries(targets?.signed.targets ?? {})) {
      const name = path.slice(path.indexOf("/") + 1);
      const isRelease = path.startsWith("release/");
      const isName = isRelease ? releaseNamePattern.test(name) : /^[0-9a-f]{64}$/.test(name);
      if (!isName) {
        this.#at(source, () => {
          throw wrong(`${JSON.stringify(path)} is no name of a release or system`);
        });
        continue;
      }
      const file = isRelease ? `${releases}/${name}.json` : `${closures}/${name}.json`;
      if (this.checks.some((check) => check.file === file && check.fault === undefined)) continue;
      this.#at(file, () => {
        const text = this.#files.readText(file, { maxBytes: maxClosureBytes });
        if (text === undefined) throw wrong("it is missing");
        const signed = isRelease ? text : canonicalJson(parseSignedClosure(text).manifest);
        const { length, hashes } = target;
        requireTarget(path, Buffer.from(signed), { length, sha256: hashes.sha256 });
      });
    }
  }

  #nodes(
    fleet: string,
    { roots, targets }: Pick<Repository, "roots" | "targets">,
  ): ReadonlyMap<string, NodeSet> {
    const { nodes } = signingPlaces(this.#directory);
    const read = this.#names(nodes, /^(.+)\.json$/).flatMap(([file, node]) => {
      const set = this.#at(file, () => {
        const each = checked<StoredNodeSet>(validateSet, this.#json(file), "set");
        const timestamp = asTimestamp(each.timestamp);
        const snapshot = asSnapshot(each.snapshot);
        const director = asTargets(each.director, "director");
        requireAnyRoot(timestamp, "timestamp", roots);
        requireAnyRoot(snapshot, "snapshot", roots);
        const vouches = (image: TargetsMetadata) =>
          isVouchedFor(director, delegatedSigners(image, "director"));
        if (!targets.some(vouches)) throw wrong("director: not signed by any director there was");
        const { fleet: ofFleet, node: named } = director.signed.node ?? {};
        if (ofFleet !== fleet || named !== node)
          throw wrong(`it is for the node ${named} of ${ofFleet}`);
        const image = snapshot.signed.meta["targets.json"]?.version ?? 0;
        if (image > newestVersion(targets))
          throw wrong(`it names ${this.#metadataFile(image, "targets")}, which is missing`);
        return { timestamp, snapshot, director };
      });
      return set === undefined ? [] : [[node, set] as const];
    });
    return new Map(read);
  }

  #metadataFile(version: number, role: string): string {
    return `${signingPlaces(this.#directory).metadata}/${version}.${role}.json`;
  }

  #versions(role: string): readonly number[] {
    return this.#files
      .list(signingPlaces(this.#directory).metadata)
      .flatMap((name) => {
        const [, version, of] = /^([1-9][0-9]*)\.(.+)\.json$/.exec(name) ?? [];
        return of === role ? [Number(version)] : [];
      })
      .sort((a, b) => a - b);
  }

  #names(directory: string, pattern: RegExp): readonly (readonly [string, string])[] {
    return this.#files.list(directory).flatMap((name) => {
      const [, stem] = pattern.exec(name) ?? [];
      return stem === undefined ? [] : [[`${directory}/${name}`, stem] as const];
    });
  }
}

function follow(state: TrustedState, root: RootMetadata): TrustedState {
  const [next] = followRoots(state, [root], { nowMs: 0, clockTrusted: false });
  if (next === undefined) throw wrong(`it is root ${root.signed.version} once more`);
  return next;
}

function newestVersion(list: readonly Metadata[]): number {
  return newest(list)?.signed.version ?? 0;
}

function requireVersion({ signed }: Metadata, version: number): void {
  if (signed.version !== version) throw wrong(`it holds version ${signed.version}`);
}

/** Signed by the role's keys as some root had them; newest first, because it nearly always is that. */
function requireAnyRoot(metadata: Metadata, role: RootRole, roots: readonly RootMetadata[]): void {
  const vouches = (root: RootMetadata) => isVouchedFor(metadata, signersOf(root, role));
  if (roots.toReversed().some(vouches)) return;
  const last = newest(roots);
  if (last === undefined) throw wrong("there is no root that could vouch for it");
  requireThreshold(metadata, signersOf(last, role));
  throw wrong(`no root vouches for it`);
}

/** Of what waits, each signature is of a key that counts, and true. */
function requireOwnSignatures(
  metadata: Metadata,
  roots: readonly RootMetadata[],
  role: RootRole,
): void {
  const bytes = canonicalBytes(metadata.signed);
  const signers = roots.map((root): Signers => signersOf(root, role));
  for (const { keyid, sig } of metadata.signatures) {
    const found = signers.find((each) => each.keyids.includes(keyid));
    const key = found?.keys[keyid];
    const isTrue =
      key !== undefined && readKey(keyid, key).isSigned(bytes, Buffer.from(sig, "hex"));
    if (!isTrue)
      throw wrong(`the signature of the key ${keyid.slice(0, 12)} is not of this content`);
  }
}

/** What a person compares before signing: SHA-256 of the bytes that are signed. */
export function digestOfSigned({ signed }: { readonly signed: object }): string {
  return sha256(canonicalBytes(signed));
}

function wrong(what: string, cause?: unknown): Fault {
  return new Fault("signing/damaged", what, cause === undefined ? {} : { cause });
}
