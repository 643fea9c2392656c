import { spawnSync } from "node:child_process";
import { hasBundle } from "../story.ts";
import { hostEnvironment } from "./host.ts";

/** Debian's packages of these are in `tools/ensure-installed.mjs`. */
const programs = [
  ...["ip", "losetup", "mkfs.ext4", "mmdebstrap", "mosquitto", "nsenter", "perl", "setpriv"],
  ...["ssh", "ssh-keygen", "systemd-nspawn", "unshare"],
];

/**
 * For tap's `skip`: why no machine can be booted here, or `false`. Under `CI=true` always `false`,
 * so that the tests fail instead.
 */
export function skipWithoutBoot(more: readonly string[] = []): string | false {
  if (process.env["CI"] === "true") return false;
  if (process.getuid?.() !== 0) return "SKIPPED: booting a machine needs root";
  const missing = [...programs, ...more].filter(
    (name) => spawnSync("which", [name], { env: hostEnvironment }).status !== 0,
  );
  if (missing.length > 0) return `SKIPPED: booting a machine needs ${missing.join(", ")}`;
  return hasBundle ? false : "SKIPPED: booting a machine needs the bundle (npm run build)";
}
