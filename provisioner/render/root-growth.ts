import { addFinding, type Concern } from "./assignment.ts";

/** Types of file systems that grow as they are mounted (systemd-growfs, and resize2fs and the like before it). */
const growing = /^(?:ext[234]|xfs|btrfs|f2fs)$/;

/**
 * Whether an option asks for a root file system to grow that cannot: NixOS refuses the whole system then.
 * Known is the root where the base was found as the machine is mounted; what an image says is its own.
 */
export function isVainGrowth(
  concern: Concern,
  path: readonly string[],
  from: readonly string[],
  data: unknown,
): boolean {
  if (path.join("\0") !== "fileSystems\0/\0autoResize" || data !== true) return false;
  const root = concern.base.platform?.fileSystems.find((each) => each.path === "/");
  if (root === undefined || growing.test(root.type)) return false;
  const message = `the root file system is ${root.type}, which does not grow; it stays as it is`;
  addFinding(concern, from, "warning", "render/no-growth", message, "remove the wish");
  return true;
}
