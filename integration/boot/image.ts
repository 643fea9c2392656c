import { readFileSync } from "node:fs";
import path from "node:path";
import { standIn } from "../nix-machine.ts";
import { cached, digestOfTree } from "./cache.ts";
import type { DiskContents } from "./disk.ts";
import { onHost } from "./host.ts";
import { rootfs } from "./rootfs.ts";

const here = import.meta.dirname;
const script = path.join(here, "make-image.sh");
const machine = path.join(here, "machine");
const dist = path.join(here, "../../dist");
const buildMs = 300_000;

/** What a machine has that boots a kernel of its own. */
export interface OwnKernel {
  /** File of the kernel. */
  readonly kernel: string;
  readonly loader: "grub" | "systemd-boot" | "extlinux";
}

/** How an image differs from the plainest one. */
export interface ImageOptions {
  readonly own?: OwnKernel;
  /** Whether NetworkManager sets its network up. */
  readonly hasManager?: boolean;
  /** Whether its owner names the root of a fleet, whose file lies on the machine. */
  readonly isOfFleet?: boolean;
}

/** What a machine's disks consist of before its first boot. */
export async function image({
  own,
  hasManager = false,
  isOfFleet = false,
}: ImageOptions = {}): Promise<DiskContents> {
  const debian = await rootfs([
    // What a loader cannot do, the kernel does.
    ...(own?.loader === "extlinux" ? ["kexec-tools"] : []),
    ...(hasManager ? ["gettext-base", "network-manager"] : []),
  ]);
  const inputs = [machine, standIn, dist];
  const more = [
    ...[own?.kernel ?? "", own?.loader ?? "", hasManager ? "NetworkManager" : ""],
    isOfFleet ? "fleet" : "",
  ];
  const parts = [debian, readFileSync(script, "utf8"), ...inputs.map(digestOfTree), ...more];
  const made = await cached("image", parts, async (directory) => {
    const apart = ["unshare", "--mount", "--propagation", "private"] as const;
    const argv = [...apart, "sh", script, debian, directory, ...inputs, ...more] as const;
    await onHost(argv, { timeoutMs: buildMs });
  });
  return { layers: [path.join(made, "root"), debian], boot: path.join(made, "boot") };
}
