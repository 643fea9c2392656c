import type { PartitionRole } from "./layout.ts";

/**
 * Types of GPT (Discoverable Partitions Specification). Plain Linux data, but for what firmware and
 * mdadm look for: nothing is mounted because of its type alone, so that NixOS's own word is the only one.
 */
const data = "0fc63daf-8483-4772-8e79-3d69d8477de4";

export const partitionTypes: Readonly<Record<PartitionRole, string>> = {
  esp: "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
  root: data,
  swap: data,
  home: data,
  state: data,
  mirror: "a19d880f-05fc-4d3b-a006-743f0f84911e",
};
