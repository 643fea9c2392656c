import type { Io } from "#core/io.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import { committedFile, stagedFile } from "./places.ts";

/**
 * What the journal says of the releases that are kept, before anything asks what the node is to be made from:
 * how a trial ended, where nobody could write that down, and whether the first boot of what was committed
 * was left.
 */
export async function settleKept(io: Io, system: Pick<SystemClient, "history">): Promise<void> {
  const { files } = io;
  if (files.stat(stagedFile) === undefined && files.stat(committedFile) === undefined) return;
  const { dropCommitted, dropStaged, keepCommitted, readCommittedIfAny, readStaged } = await import(
    "./kept-release.ts"
  );
  const { trials } = await system.history();
  const staged = readStaged(files);
  const ended = trials.findLast(({ transaction }) => transaction === staged?.transaction);
  if (staged !== undefined && ended?.result === "committed") keepCommitted(io, staged);
  else if (ended !== undefined) dropStaged(io);
  const committed = readCommittedIfAny(files);
  if (committed === undefined) return;
  const { leavingOf } = await import("./leaving.ts");
  if (leavingOf(trials, committed.transaction) !== undefined) dropCommitted(io, committed);
}
