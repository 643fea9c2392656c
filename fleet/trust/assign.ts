import { canonicalJson, prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { Release } from "#generated/protocol/trust/release.ts";
import type { Target, TargetsMetadata, Update } from "#generated/protocol/trust/targets.ts";
import type { NodeAddress } from "#protocol/topics.ts";
import { canonicalBytes } from "#protocol/trust/canonical.ts";
import { examine } from "#protocol/trust/examine.ts";
import { trustLimits } from "#protocol/trust/limits.ts";
import type { Offer } from "#protocol/trust/offer.ts";
import { makeDirector, makeSnapshot, makeTimestamp } from "#protocol/trust/sign/make-metadata.ts";
import { type MessageParts, message } from "#protocol/trust/sign/message.ts";
import type { Signed } from "#protocol/trust/sign/sign-metadata.ts";
import { delegatedSigners, type Signers, signersOf } from "#protocol/trust/threshold.ts";
import { type TrustedState, trustedFromRoot } from "#protocol/trust/trusted.ts";
import { signingPlaces } from "./places.ts";
import { type NodeSet, newest, type Repository } from "./repository.ts";
import type { Signer } from "./signer.ts";
import type { Span } from "./stage.ts";

const dayMs = 24 * 3_600_000;

/** What a node shall become, or `null`: nothing. */
export interface Wish {
  readonly release: string;
  readonly update: Update;
}

/** Opens a key of an online role by its id. */
export type OpenOnline = (keyid: string) => Promise<Signer>;

/** Everything that is needed to make a node's set. */
export interface AssignInput extends Span {
  readonly node: string;
  /** `undefined`: as it was, for longer. */
  readonly wish: Wish | null | undefined;
  readonly open: OpenOnline;
}

/**
 * Makes the next set for one node and stores it whole. The set is shown to a node of our own first: what
 * a node would refuse is not written. Throws `signing/release-unknown`, `signing/not-signed`,
 * `signing/refused-by-node`, and as the keys' signers do.
 */
export async function assignNode(
  files: Files,
  repository: Repository,
  input: AssignInput,
): Promise<NodeSet> {
  const { node, nowMs } = input;
  const set = await makeSet(files, repository, input);
  const address: NodeAddress = { fleet: repository.fleet, node };
  const context = { nowMs, clockTrusted: true, node: address };
  const { fault } = examine(newestTrust(repository), offerOf(files, repository, set), context);
  if (fault !== undefined)
    throw new Fault("signing/refused-by-node", `${node}: ${fault.message} (${fault.code})`, {
      cause: fault,
    });
  const file = `${signingPlaces(repository.directory).nodes}/${node}.json`;
  files.write(file, prettyJson({ v: 1, ...set }), { mode: 0o644 });
  return set;
}

async function makeSet(
  files: Files,
  repository: Repository,
  { node, wish, open, nowMs, days }: AssignInput,
): Promise<NodeSet> {
  const { fleet, nodes } = repository;
  const root = newest(repository.roots);
  const image = newest(repository.targets);
  if (root === undefined || image === undefined)
    throw new Fault("signing/not-signed", "the first root and targets are not signed yet");
  const before = nodes.get(node);
  const next = (metadata: { readonly signed: { readonly version: number } } | undefined) => ({
    version: (metadata?.signed.version ?? 0) + 1,
    expiresMs: nowMs + days * dayMs,
  });
  const targets =
    wish === undefined
      ? (before?.director.signed.targets ?? {})
      : targetsOf(files, repository, { image, wish });
  const director = await sign(
    makeDirector(next(before?.director), { node: { fleet, node }, targets }),
    delegatedSigners(image, "director"),
    open,
  );
  const snapshot = await sign(
    makeSnapshot(next(before?.snapshot), {
      targets: image.signed.version,
      director: director.signed.version,
    }),
    signersOf(root, "snapshot"),
    open,
  );
  const timestamp = await sign(
    makeTimestamp(next(before?.timestamp), { snapshot: snapshot.signed.version, issuedMs: nowMs }),
    signersOf(root, "timestamp"),
    open,
  );
  return { timestamp, snapshot, director };
}

/** What the director names: the release as the owners signed it, and the system that it names. */
function targetsOf(
  files: Files,
  repository: Repository,
  { image, wish }: { readonly image: TargetsMetadata; readonly wish: Wish | null },
): Readonly<Record<string, Target>> {
  if (wish === null) return {};
  const path = `release/${wish.release}`;
  const known = Object.hasOwn(image.signed.targets, path) ? image.signed.targets[path] : undefined;
  if (known === undefined) {
    const waits = repository.staged.targets?.signed.targets ?? {};
    if (Object.hasOwn(waits, path))
      throw new Fault("signing/not-signed", `${path}: the owners have not signed it yet`);
    throw new Fault("signing/release-unknown", `${path}: the owners have signed no such release`);
  }
  const { length, hashes } = known;
  const { closure } = JSON.parse(documentOf(files, repository, path)) as Release;
  const system = `closure/${closure?.inputDigest}`;
  const built = Object.hasOwn(image.signed.targets, system)
    ? image.signed.targets[system]
    : undefined;
  return {
    [path]: { length, hashes, custom: { update: wish.update } },
    ...(built === undefined ? {} : { [system]: { length: built.length, hashes: built.hashes } }),
  };
}

async function sign<S extends object>(
  signed: S,
  signers: Signers | undefined,
  open: OpenOnline,
): Promise<Signed<S>> {
  if (signers === undefined)
    throw new Fault("signing/not-signed", "the owners have delegated to no director");
  const bytes = canonicalBytes(signed);
  const signatures: { keyid: string; sig: string }[] = [];
  for (const keyid of signers.keyids.slice(0, signers.threshold)) {
    signatures.push({ keyid, sig: await (await open(keyid)).sign(bytes) });
  }
  return { signed, signatures };
}

function documentOf(files: Files, { directory }: Repository, path: string): string {
  const file = `${signingPlaces(directory).releases}/${path.slice("release/".length)}.json`;
  const text = files.readText(file);
  if (text !== undefined) return text;
  throw new Fault("signing/damaged", `${file}: it is missing`);
}

/** What a node believes that has followed every root so far. */
export function newestTrust({ roots }: Pick<Repository, "roots">): TrustedState {
  const root = newest(roots);
  if (root === undefined) throw new Fault("signing/not-signed", "the first root is not signed yet");
  return trustedFromRoot(root);
}

/** A node's set as it is offered to it, with every root after the first. */
export function offerOf(files: Files, repository: Repository, set: NodeSet): Offer {
  const { roots } = repository;
  const documents = Object.keys(set.director.signed.targets)
    .filter((path) => path.startsWith("release/"))
    .map((path) => [path, documentOf(files, repository, path)] as const);
  const image = newest(repository.targets);
  return {
    root: roots.slice(1),
    ...set,
    targets: image,
    delegated: {},
    documents: Object.fromEntries(documents),
  };
}

/** What one message may hold of a chain; below what a node reads, for the rest needs room as well. */
const chainRoom = { bytes: trustLimits.bytes / 2, members: trustLimits.members / 2 };

/**
 * A node's set as whole messages, in the order in which it must have them: a root chain that one message
 * cannot hold comes in several.
 */
export function messagesOf(offer: Offer, parts: MessageParts): readonly Uint8Array[] {
  const { root = [], ...rest } = offer;
  const chains: unknown[][] = [[]];
  let [bytes, members] = [0, 0];
  for (const link of root) {
    const text = canonicalJson(link);
    // Signs inside of texts count as well here: rather too many than too few.
    const own = { bytes: Buffer.byteLength(text) + 1, members: text.match(/[,:{[]/g)?.length ?? 0 };
    [bytes, members] = [bytes + own.bytes, members + own.members];
    const chain = chains.at(-1) ?? [];
    const isFull =
      bytes > chainRoom.bytes ||
      members > chainRoom.members ||
      chain.length === trustLimits.rootChain;
    if (isFull && chain.length > 0) {
      chains.push([link]);
      [bytes, members] = [own.bytes, own.members];
    } else chain.push(link);
  }
  const last = chains.pop() ?? [];
  return [
    ...chains.map((chain) => message({ root: chain }, parts)),
    message({ ...rest, root: last }, parts),
  ];
}
