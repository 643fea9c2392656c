import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { hostFiles } from "#core/host-files.ts";
import { type KernelFiles, kernelFiles } from "./kernel-files.ts";

/** For tests: the kernel's files by path below a directory; a value `-> target` makes a link. */
export function fakeKernel(
  directory: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): KernelFiles {
  for (const [file, content] of Object.entries(files)) {
    const place = path.join(directory, file);
    mkdirSync(path.dirname(place), { recursive: true });
    if (typeof content === "string" && content.startsWith("-> "))
      symlinkSync(content.slice(3), place);
    else writeFileSync(place, content);
  }
  return kernelFiles(hostFiles(directory, () => {}));
}
