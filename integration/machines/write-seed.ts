import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Puts a NoCloud seed below a machine's root, where it is found without a disk. */
export function writeSeed(
  root: string,
  instanceId: string,
  userData: string,
  networkConfig?: string,
): void {
  const seed = path.join(root, "var/lib/cloud/seed/nocloud");
  mkdirSync(seed, { recursive: true });
  writeFileSync(path.join(seed, "meta-data"), `instance-id: ${instanceId}\n`);
  writeFileSync(path.join(seed, "user-data"), userData);
  if (networkConfig !== undefined) writeFileSync(path.join(seed, "network-config"), networkConfig);
}
