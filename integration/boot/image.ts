import { readFileSync } from "node:fs";
import path from "node:path";
import { standIn } from "../nix-machine.ts";
import { cached, digestOfTree } from "./cache.ts";
import { onHost } from "./host.ts";
import { rootfs } from "./rootfs.ts";

const here = import.meta.dirname;
const script = path.join(here, "make-image.sh");
const machine = path.join(here, "machine");
const dist = path.join(here, "../../dist");
const buildMs = 300_000;

/** The directories that a machine's root consists of before its first boot, the topmost first. */
export async function image(): Promise<readonly string[]> {
  const debian = await rootfs();
  const inputs = [machine, standIn, dist];
  const parts = [debian, readFileSync(script, "utf8"), ...inputs.map(digestOfTree)];
  const layer = await cached("image", parts, async (directory) => {
    const apart = ["unshare", "--mount", "--propagation", "private"] as const;
    const argv = [...apart, "sh", script, debian, directory, ...inputs] as const;
    await onHost(argv, { timeoutMs: buildMs });
  });
  return [layer, debian];
}
