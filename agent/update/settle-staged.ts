import type { Io } from "#core/io.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import { stagedFile } from "./places.ts";

/**
 * What a trial that ended means for what the node is made from, where nobody could write that down: by the
 * journal, before anything asks what the node is to be made from.
 */
export async function settleStaged(io: Io, system: Pick<SystemClient, "history">): Promise<void> {
  if (io.files.stat(stagedFile) === undefined) return;
  const { dropStaged, keepCommitted, readStaged } = await import("./kept-release.ts");
  const staged = readStaged(io.files);
  if (staged === undefined) return;
  const { trials } = await system.history();
  const ended = trials.findLast(({ transaction }) => transaction === staged.transaction);
  if (ended?.result === "committed") keepCommitted(io, staged);
  else if (ended !== undefined) dropStaged(io);
}
