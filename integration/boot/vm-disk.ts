import { readFileSync } from "node:fs";
import path from "node:path";
import { cached } from "./cache.ts";
import { onHost } from "./host.ts";
import { image } from "./image.ts";
import { suite } from "./rootfs.ts";

const script = path.join(import.meta.dirname, "make-disk.sh");
/** Its NVMe and ext4 are built in, so that it needs no initrd. */
const kernelPackage = "linux-image-cloud-amd64";
const downloadMs = 900_000;
const makeMs = 600_000;
const apart = ["unshare", "--mount", "--propagation", "private"] as const;

/** A directory with `vmlinuz` and `disk`, the whole image on one ext4; neither is ever written to. */
export async function vmDisk(): Promise<string> {
  const {
    layers: [layer = "", debian = ""],
  } = await image();
  const kernel = await cached("kernel", [suite, kernelPackage], async (directory) => {
    const options = ["--mode=root", "--variant=extract", `--include=${kernelPackage}`];
    await onHost([...apart, "mmdebstrap", ...options, suite, directory], { timeoutMs: downloadMs });
  });
  const parts = [kernel, layer, debian, readFileSync(script, "utf8")];
  return cached("disk", parts, async (directory) => {
    await onHost([...apart, "sh", script, kernel, directory, layer, debian], { timeoutMs: makeMs });
  });
}
