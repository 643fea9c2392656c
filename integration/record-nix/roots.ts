import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { cached } from "../boot/cache.ts";
import { onHost } from "../boot/host.ts";

/** Debian's releases, each of which has another Nix. */
export const suites = ["bullseye", "bookworm", "trixie", "sid"] as const;
export type Suite = (typeof suites)[number];

const packages = ["base-files", "coreutils", "dash", "nix-bin"];
const downloadMs = 900_000;
/** Places in it that something is mounted on. */
const places = ["dev", "nix", "proc", "tmp", "var/lib/firstlight"];

/** A directory with the Nix of a Debian and what it needs; made on first use, a minute each. */
export function nixRoot(suite: Suite): Promise<string> {
  return cached("nix", [suite, ...packages], (directory) => makeRoot(suite, directory));
}

/** Unpacked only: no program of it has to run to be set up. */
async function makeRoot(suite: Suite, directory: string): Promise<void> {
  const options = [
    ...["--mode=root", "--variant=extract"],
    '--aptopt=APT::Install-Recommends "false"',
    '--aptopt=Acquire::Check-Valid-Until "false"', // of sid, where a mirror lags behind
    `--include=${packages.join(",")}`,
  ];
  const apart = ["unshare", "--mount", "--propagation", "private"] as const;
  await onHost([...apart, "mmdebstrap", ...options, suite, directory], { timeoutMs: downloadMs });
  for (const place of places) {
    const full = path.join(directory, place);
    if (!existsSync(full)) mkdirSync(full, { recursive: true });
  }
}
