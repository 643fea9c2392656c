import { generateX25519Identity, identityToRecipient } from "age-encryption";
import type { Io } from "#core/io.ts";
import { Secret } from "#core/secret.ts";
import { type AssignInput, assignNode } from "./assign.ts";
import { initFleet } from "./init.ts";
import { openSigner } from "./key-store.ts";
import { signingPlaces } from "./places.ts";
import { digestOfSigned, readRepository } from "./read-repository.ts";
import { makeRelease, type ReleaseContent } from "./release.ts";
import type { Repository, StagedRole } from "./repository.ts";
import { nextTargets, publishReady, type Span, signStaged, stage, withTarget } from "./stage.ts";

/** Where the fleet of a test lies. */
export const directory = "/fleet";

/** The owners of a fleet in one place, for tests: two of three for the root, two of two for the targets. */
export interface FakeOwners {
  readonly span: Span;
  /** Makes the fleet, or goes on where that was killed. */
  init(): Promise<Repository>;
  read(): Repository;
  /** Signs what waits of a role by these keys, one person after another. */
  sign(role: StagedRole, names: readonly string[]): Promise<Repository>;
  /** Puts a release aside to be signed. */
  addRelease(content: ReleaseContent): Repository;
  /** A release that both have signed. */
  release(content: ReleaseContent): Promise<Repository>;
  assign(node: string, wish: AssignInput["wish"]): Promise<Repository>;
  open(name: string): ReturnType<typeof openSigner>;
}

/** See {@link FakeOwners}. */
export async function fakeOwners(io: Io, nowMs: number): Promise<FakeOwners> {
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const { files } = io;
  const places = signingPlaces(directory);
  const span = { nowMs, days: 90 };
  const owners: FakeOwners = {
    span,
    init: () =>
      initFleet(io, directory, {
        fleet: "plant-7",
        root: { names: ["alice", "bob", "carol"], threshold: 2 },
        targets: { names: ["dora", "emil"], threshold: 2 },
        builders: { "builder-x86": { names: ["hydra"], threshold: 1 } },
        online: places.online,
        nowMs,
        rootDays: 365,
        targetsDays: 90,
        keepNew: async () => ({ kept: "age", sealing: { recipients: [recipient] } }),
      }),
    read: () => publishReady(files, readRepository(files, directory), span).repository,
    async sign(role, names) {
      for (const name of names) {
        const repository = owners.read();
        const waits = repository.staged[role];
        if (waits === undefined) throw new Error(`${role}: nothing waits`);
        const signer = await owners.open(name);
        const digest = digestOfSigned(waits);
        const signed = await signStaged(files, repository, { role, signer, digest });
        publishReady(files, signed, span);
      }
      return owners.read();
    },
    addRelease(content) {
      const repository = owners.read();
      const { path, target, document } = makeRelease(content);
      const signed = nextTargets(
        repository,
        (image) => ({ ...image, targets: withTarget(image.targets, path, target) }),
        span,
      );
      files.write(`${places.releases}/${content.name}.json`, document);
      stage(files, repository, { role: "targets", signed });
      return owners.read();
    },
    async release(content) {
      owners.addRelease(content);
      return owners.sign("targets", ["dora", "emil"]);
    },
    async assign(node, wish) {
      const repository = owners.read();
      const named = (keyid: string) =>
        [...repository.keys.values()].find((key) => key.keyid === keyid)?.name ?? "";
      const open = (keyid: string) => owners.open(named(keyid));
      await assignNode(files, repository, { node, wish, open, ...span, days: 7 });
      return owners.read();
    },
    open(name) {
      const key = owners.read().keys.get(name);
      if (key === undefined) throw new Error(`${name}: no such key`);
      const askPassphrase = async () => new Secret("");
      const opening = { online: places.online, identities: [new Secret(identity)], askPassphrase };
      return openSigner(io, directory, { key, opening });
    },
  };
  return owners;
}
