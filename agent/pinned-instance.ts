import { createHmac } from "node:crypto";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";
import type { SecretBag } from "#core/secret.ts";
import type { Instance, SignedRelease } from "./datasources/datasource.ts";

/** What this node was made from at its first commit: later documents are held against it. */
export interface PinnedInstance {
  readonly v: 1;
  readonly datasource: string;
  readonly identity: string;
  readonly instanceId: string;
  /** Keyed digest of {@link Inputs}; says nothing about their content. */
  readonly inputsDigest: string;
  /** `update.changes` of the first document; later documents cannot loosen it. */
  readonly changes: Answer | null;
  /** When a later change was committed last. */
  readonly at: string;
  /** What nobody signed; records of earlier versions do not have it. */
  readonly unsigned?: Unsigned;
  /** The signature with the highest serial of those that were committed; absent where none had one. */
  readonly signed?: { readonly id: string; readonly serial: number };
  /** The release of the fleet that was committed; absent where the node is made from its user-data. */
  readonly release?: SignedRelease;
  /** Digest of all that a datasource said beside its user-data; records of earlier versions do not have it. */
  readonly beside?: string;
}

/** What a policy says to a change. */
export type Answer = "apply" | "hold" | "require-signature";

/** Root-only: the digest key lies beside it. */
export const pinnedInstanceFile = "/var/lib/firstlight/instance/pinned.json";

const keyFile = "/var/lib/firstlight/instance/.digest-key";

/** The pinned instance, or `undefined` before the first commit. Throws `policy/pin-unreadable`. */
export function readPinnedInstance(files: Files): PinnedInstance | undefined {
  const text = files.readText(pinnedInstanceFile, { maxBytes: 64 * 1024 });
  if (text === undefined) return undefined;
  try {
    const pinned: unknown = JSON.parse(text);
    if (isPinned(pinned)) return pinned;
  } catch (error) {
    throw unreadable(error);
  }
  throw unreadable(undefined);
}

/** Pins this instance, or follows an accepted change of it. */
export function writePinnedInstance(io: Io, pinned: PinnedInstance): void {
  io.files.write(pinnedInstanceFile, prettyJson(pinned), { mode: 0o600 });
}

/** Everything that a node is made from beside itself. */
export interface Inputs {
  readonly instance: Instance;
  readonly secrets: SecretBag;
  /** What documents name by address: another content there is a change as well. */
  readonly fetched: ReadonlyMap<string, Uint8Array>;
  /** What of the meta-data has chosen among parts of documents; absent where nothing did. */
  readonly launchIndex?: number | null | undefined;
}

/**
 * Digest of what a system is made from, keyed with a secret of this machine. Not of the meta-data as
 * such: a cloud changes a public address, a tag or a host's name in it by itself, and whoever owns
 * the node has changed nothing then. What is taken from it (instance-id, host name, keys, network, the
 * launch index where parts are chosen by it) counts where it lies.
 */
export function digestInputs(io: Io, inputs: Inputs): string {
  const { metaData, ...instance } = inputs.instance;
  const [ofMetaData, ofInputs] = [refsIn(metaData), refsIn(instance)];
  const isInput = ([name]: readonly [string, unknown]) =>
    ofInputs.has(name) || !ofMetaData.has(name);
  const secrets = new Map([...inputs.secrets].filter(isInput));
  return digest(io, { ...inputs, instance, secrets });
}

/**
 * Digest of all that a datasource says beside its user-data, whatever of it counts: a release takes the place
 * of the user-data, and nobody but the fleet may bring something with it.
 */
export function digestBeside(io: Io, { instance, secrets }: Omit<Inputs, "fetched">): string {
  const { metaData: _metaData, userData: _userData, ...beside } = instance;
  const names = refsIn(beside);
  const kept = new Map([...secrets].filter(([name]) => names.has(name)));
  return digest(io, { instance: { ...beside, userData: null }, secrets: kept, fetched: new Map() });
}

/** Digest of everything that a datasource said, keyed as that of the inputs. */
export function digestWhole(io: Io, inputs: Inputs): string {
  return digest(io, inputs);
}

/** What a node is made from beside signed user-data: keyed digests, `null` where there is none of it. */
export interface Unsigned {
  /** What may let somebody in: ssh keys, vendor-data with all it names and parts chosen of it, secrets beside the document. */
  readonly rights: string | null;
  /** The machine's name and its network. */
  readonly place: string | null;
}

/** What of the meta-data counts for nothing in a system. */
export interface Unused {
  readonly hostname: boolean;
  readonly publicKeys: boolean;
  readonly vendorData: boolean;
}

/** What a signature does not reach, and what it does. */
export interface BesideSigned {
  readonly unused: Unused;
  /** Addresses that the signed text names; whoever signs one vouches for who answers there. */
  readonly signedAddresses: ReadonlySet<string>;
}

/**
 * Digests of everything that a system is made from and a signature under the user-data does not cover.
 */
export function digestUnsigned(
  io: Io,
  inputs: Inputs,
  { unused, signedAddresses }: BesideSigned,
): Unsigned {
  const { hostname, publicKeys, networkConfig, secrets = {} } = inputs.instance;
  const fetched = [...inputs.fetched].filter(
    ([name]) => !(signedAddresses.has(name) && /^(https|data):/.test(name)),
  );
  const chosen = byLaunchIndex(inputs);
  const keys = unused.publicKeys ? [] : publicKeys;
  const name = unused.hostname ? null : hostname;
  const { vendorData, vendorData2 } = unused.vendorData
    ? { vendorData: null, vendorData2: null }
    : inputs.instance;
  const digestOf = (part: object, files: Inputs["fetched"]) => {
    const names = refsIn(part);
    const values = [...inputs.secrets].filter(([each]) => names.has(each));
    return keyedDigest(io, part, { secrets: new Map(values), fetched: files });
  };
  const vendors = [vendorData, vendorData2].filter((each) => each != null);
  const files = fetched.length + Object.keys(chosen).length;
  const beside = keys.length + Object.keys(secrets).length + files + vendors.length;
  const rights = { publicKeys: keys, secrets, vendors, ...chosen };
  const hasPlace = name !== null || networkConfig !== null;
  return {
    rights: beside > 0 ? digestOf(rights, new Map(fetched)) : null,
    place: hasPlace ? digestOf({ hostname: name, networkConfig }, new Map()) : null,
  };
}

interface Digested extends Omit<Inputs, "instance"> {
  readonly instance: Omit<Instance, "metaData"> & Partial<Pick<Instance, "metaData">>;
}

function digest(io: Io, { instance, secrets, fetched, launchIndex }: Digested): string {
  const { evidence: _evidence, place: _place, ...datasource } = instance.datasource;
  return keyedDigest(
    io,
    { ...instance, datasource, ...byLaunchIndex({ launchIndex }) },
    { secrets, fetched },
  );
}

/** Nothing where no part was chosen by it, as in records of earlier versions. */
function byLaunchIndex({ launchIndex = null }: Pick<Inputs, "launchIndex">): {
  readonly launchIndex?: number;
} {
  return launchIndex === null ? {} : { launchIndex };
}

function keyedDigest(
  io: Io,
  instance: object,
  { secrets, fetched }: Pick<Inputs, "secrets" | "fetched">,
): string {
  const hmac = createHmac("sha256", readKey(io));
  hmac.update(prettyJson(instance));
  const add = (kind: string, name: string, value: Uint8Array) =>
    hmac.update(`\0${kind}\0${name}\0${value.length}\0`).update(value);
  for (const [name, secret] of sorted(secrets)) add("secret", name, secret.reveal());
  for (const [address, bytes] of sorted(fetched)) add("fetched", address, bytes);
  return hmac.digest("hex");
}

/** Names of the secrets that a document refers to. */
function refsIn(document: unknown): ReadonlySet<string> {
  if (typeof document !== "object" || document === null) return new Set();
  const inside = Object.values(document).flatMap((value) => [...refsIn(value)]);
  const { secretRef } = document as { readonly secretRef?: unknown };
  return new Set(typeof secretRef === "string" ? [secretRef, ...inside] : inside);
}

function sorted<V>(map: ReadonlyMap<string, V>): readonly (readonly [string, V])[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

function readKey(io: Io): Uint8Array {
  const existing = io.files.read(keyFile, { maxBytes: 1024 });
  if (existing?.length === 32) return existing;
  const key = io.random.bytes(32);
  io.files.write(keyFile, key, { mode: 0o400 });
  return key;
}

function isPinned(value: unknown): value is PinnedInstance {
  const { v, datasource, identity, instanceId, inputsDigest } = (value ?? {}) as Record<
    string,
    unknown
  >;
  return (
    v === 1 &&
    [datasource, identity, instanceId, inputsDigest].every((text) => typeof text === "string")
  );
}

function unreadable(cause: unknown): Fault {
  return new Fault(
    "policy/pin-unreadable",
    `${pinnedInstanceFile}: expected a pinned instance of version 1`,
    { cause },
  );
}
