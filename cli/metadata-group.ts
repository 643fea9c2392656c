import type { Io } from "#core/io.ts";

const metadataGroupName = "firstlight-metadata";
/** Larger than any that is there. */
const maxGroupsBytes = 16 * 1024 * 1024;

/** The group that the metadata service is open to (nixos/module.nix), where the running system has it. */
export function metadataGroup({ files }: Pick<Io, "files">): string | undefined {
  const groups = files.read("/etc/group", { maxBytes: maxGroupsBytes }) ?? new Uint8Array();
  const isThere = new RegExp(`^${metadataGroupName}:`, "m").test(Buffer.from(groups).toString());
  return isThere ? metadataGroupName : undefined;
}
