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

/** What a machine's disks consist of before its first boot; with a kernel it boots that itself. */
export async function image(kernel?: string): Promise<DiskContents> {
  const debian = await rootfs();
  const inputs = [machine, standIn, dist];
  const parts = [debian, readFileSync(script, "utf8"), ...inputs.map(digestOfTree), kernel ?? ""];
  const made = await cached("image", parts, async (directory) => {
    const apart = ["unshare", "--mount", "--propagation", "private"] as const;
    const all = [debian, directory, ...inputs, ...(kernel === undefined ? [] : [kernel])];
    await onHost([...apart, "sh", script, ...all], { timeoutMs: buildMs });
  });
  return { layers: [path.join(made, "root"), debian], boot: path.join(made, "boot") };
}
