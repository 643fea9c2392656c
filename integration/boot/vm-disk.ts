import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { cached } from "./cache.ts";
import { onHost } from "./host.ts";
import { image, type OwnKernel } from "./image.ts";
import { suite } from "./rootfs.ts";

const script = path.join(import.meta.dirname, "make-disk.sh");
/** Its NVMe and ext4 are built in, so that no initrd has to bring them. */
const kernelPackage = "linux-image-cloud-amd64";
const downloadMs = 900_000;
const makeMs = 600_000;
const apart = ["unshare", "--mount", "--propagation", "private"] as const;

/** The disk of a virtual machine, with the whole image and its boot loader; it is never written to. */
export async function vmDisk(loader: OwnKernel["loader"]): Promise<string> {
  const kernel = await cached("kernel", [suite, kernelPackage], async (directory) => {
    const options = ["--mode=root", "--variant=extract", `--include=${kernelPackage}`];
    await onHost([...apart, "mmdebstrap", ...options, suite, directory], { timeoutMs: downloadMs });
  });
  const [name = ""] = readdirSync(path.join(kernel, "boot")).filter((file) =>
    /^vmlinuz/.test(file),
  );
  const { layers, boot } = await image({
    own: { kernel: path.join(kernel, "boot", name), loader },
  });
  const parts = [loader, kernel, ...layers, readFileSync(script, "utf8")];
  const made = await cached("disk", parts, async (directory) => {
    const argv = [...apart, "sh", script, loader, kernel, directory, ...layers, boot] as const;
    await onHost(argv, { timeoutMs: makeMs });
  });
  return path.join(made, "disk");
}
