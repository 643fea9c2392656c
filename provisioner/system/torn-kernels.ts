import type { Files } from "#core/io.ts";
import { kernelPlaces } from "./boot-places.ts";

/** Files of the machine, those of Nix's own directories, and where the store is. */
export interface KernelCopies {
  readonly files: Files;
  readonly storeFiles: Files;
  readonly store: string;
}

/**
 * Removes kernels and initrds that a power cut has left shorter than they are in the store: NixOS's
 * installers take a file of that name for whole, and would never copy it again
 * (`copyToKernelsDir` of install-grub.pl and its like). Longer ones have had secrets appended.
 */
export function dropTornKernels(copies: KernelCopies): void {
  const { files } = copies;
  for (const place of kernelPlaces) {
    for (const name of files.list(place)) {
      const file = `${place}/${name}`;
      const there = files.stat(file);
      const bytes = sizeInStore(copies, name);
      if (there?.kind === "file" && bytes !== undefined && there.size < bytes) files.remove(file);
    }
  }
}

/**
 * Size of what a copy was made from; `undefined` where the store has nothing of the kind. The name is
 * that of the store's object and of the file in it (`<hash>-linux-6.12.1-bzImage`), either of which
 * may have dashes of its own; systemd-boot's ends with `.efi`.
 */
function sizeInStore({ storeFiles, store }: KernelCopies, copy: string): number | undefined {
  const name = copy.replace(/\.efi$/, "");
  for (let at = name.lastIndexOf("-"); at > 0; at = name.lastIndexOf("-", at - 1)) {
    const file = storeFiles.realPath(`${store}/${name.slice(0, at)}/${name.slice(at + 1)}`);
    const found = file === undefined ? undefined : storeFiles.stat(file);
    if (found?.kind === "file") return found.size;
  }
  return undefined;
}
