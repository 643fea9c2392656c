import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { cached } from "./cache.ts";
import { onHost } from "./host.ts";

/** The Debian whose kernel-near parts (systemd, udev, sshd, Nix) a machine of the boot tests has. */
export const suite = "bookworm";
const packages = [
  ...[
    "dbus",
    "iproute2",
    "kmod",
    "libstdc++6",
    "nix-bin",
    "openssh-server",
    "systemd-boot",
    "systemd-sysv",
    "udev",
  ],
];
const excluded = ["man", "doc", "locale", "info"];
const downloadMs = 900_000;
/** The repository's own Node. */
const node = path.join(import.meta.dirname, "../../node_modules/node");

/** A directory with that Debian and the repository's Node; made on first use, minutes without a cache. */
export function rootfs(more: readonly string[] = []): Promise<string> {
  const { version } = JSON.parse(readFileSync(path.join(node, "package.json"), "utf8")) as {
    readonly version: string;
  };
  const included = [...packages, ...more];
  return cached("root", [suite, ...included, ...excluded, version], (directory) =>
    makeRootfs(directory, included),
  );
}

async function makeRootfs(directory: string, included: readonly string[]): Promise<void> {
  const options = [
    ...["--mode=root", "--variant=minbase", "--dpkgopt=force-unsafe-io"],
    '--aptopt=APT::Install-Recommends "false"',
    ...excluded.map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
    `--include=${included.join(",")}`,
  ];
  // Whatever it mounts is gone with it, also when it is killed.
  const apart = ["unshare", "--mount", "--propagation", "private"] as const;
  await onHost([...apart, "mmdebstrap", ...options, suite, directory], { timeoutMs: downloadMs });
  mkdirSync(path.join(directory, "usr/local/bin"), { recursive: true });
  await onHost(["cp", path.join(node, "bin/node"), path.join(directory, "usr/local/bin/node")]);
}
