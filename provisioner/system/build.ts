import { Fault } from "#core/fault.ts";
import { timestamp } from "#core/io.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import { abandonBuild } from "./abandon.ts";
import { findBuilders } from "./builders.ts";
import { evaluatedAsRoot } from "./evaluate-apart.ts";
import { dropFetched } from "./fetch/fetch-roots.ts";
import type { UnfinishedBuild } from "./ledger.ts";
import { checkBootRoom, checkRoom } from "./preflight.ts";
import { checkRelease } from "./releases.ts";
import { withMemory } from "./swap.ts";
import type { ChangeReason, Closure } from "./system.ts";
import { type Change, dropRoots, dropStrayRoots, dropTrialProfile, step } from "./work.ts";
import { writeSources } from "./write-sources.ts";

/**
 * Writes the sources, evaluates and builds them, rooted from the first moment and on disk at the
 * end. Throws `system/evaluation-failed`, `system/build-failed` and what else can go wrong with Nix;
 * nothing of the running machine has changed then.
 */
export async function build(
  change: Change,
  sources: Sources,
  reason: ChangeReason,
): Promise<Closure> {
  await abandonBuild(change, "another build was asked for");
  const { journal, settings, io } = change;
  const asked = { release: sources.digest, reason };
  checkRelease(journal.ledger.releases, asked, { limits: settings.limits, nowMs: io.clock.now() });
  dropStrayRoots(change);
  dropTrialProfile(change);
  const txn = newTransaction(change);
  const intent = { sourcesDigest: sources.digest, reason };
  const repair = mayBeCorrupt(change.journal.ledger.unfinishedBuilds, change.machine.bootId);
  return step(change, { txn, name: "build", intent }, async () => {
    try {
      const closure = await make(change, { txn, repair, sources, reason });
      await change.commands.syncStore();
      dropFetched(change);
      return closure;
    } catch (error) {
      dropRoots(change, txn);
      // What was built before the failure is in the store as well; the build's own fault says more.
      await change.commands.syncStore().catch(() => {});
      throw error;
    }
  });
}

interface Making {
  readonly txn: string;
  readonly repair: boolean;
  readonly sources: Sources;
  readonly reason: ChangeReason;
}

async function make(change: Change, making: Making): Promise<Closure> {
  const { sources, txn, reason } = making;
  checkCredentials(change, sources);
  checkRoom(change);
  const made = await withMemory(change, () => evaluateAndBuild(change, making));
  checkBootRoom(change, made.toplevel);
  return {
    ...made,
    transaction: txn,
    sourcesDigest: sources.digest,
    credentials: sources.credentials,
    reason,
  };
}

async function evaluateAndBuild(
  change: Change,
  { txn, repair, sources }: Making,
): Promise<Pick<Closure, "toplevel" | "derivation" | "evaluatedBy">> {
  const { io, paths, commands, settings, storeFiles, emit } = change;
  const { digest: sourcesDigest, nixpkgs } = sources;
  writeSources(io.files, paths.sources, sources);
  const evaluatedBy = commands.whoEvaluates(sourcesDigest);
  if (evaluatedBy === "root") emit({ type: "warning", ...evaluatedAsRoot });
  const derivation = await commands.instantiate({ txn, sourcesDigest, nixpkgs, repair });
  // Without caches everything is built, and how large that will be nobody knows.
  if (settings.substituters.length > 0) checkRoom(change, await commands.dryRun(derivation));
  emit({ type: "builders", builders: findBuilders(io.env, storeFiles, paths) });
  const toplevel = await commands.build({ txn, derivation, repair });
  return { toplevel, derivation, evaluatedBy };
}

/**
 * Throws `system/credential-missing` unless every secret that a system names is stored: they were
 * stored before this process had the lock, and a collection may have come between.
 */
export function checkCredentials(
  { io, paths }: Change,
  { credentials }: Pick<Sources, "credentials">,
): void {
  const isThere = (name: string) => io.files.stat(`${paths.credentials}/${name}`) !== undefined;
  const missing = credentials.find((name) => !isThere(name));
  if (missing === undefined) return;
  throw new Fault("system/credential-missing", `${paths.credentials}/${missing} is not there`);
}

/**
 * Whether a build was going on in an earlier boot and has not ended: Nix may have taken paths for
 * valid whose content had not reached the disk when the power went. Only one of the same that
 * succeeded since has looked at them all.
 */
export function mayBeCorrupt(unfinished: readonly UnfinishedBuild[], bootId: string): boolean {
  return unfinished.some((build) => build.bootId !== bootId);
}

/** A name for a change: sorts by time, fits into the name of a unit and of a file. */
export function newTransaction({ io }: Pick<Change, "io">): string {
  const time = timestamp(io.clock).replaceAll(/[-:]|\..*$/g, "");
  return `${time}-${io.random.uuid().slice(-8)}`;
}
