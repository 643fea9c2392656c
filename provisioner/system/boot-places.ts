import type { Files } from "#core/io.ts";

/** Where boot loaders keep what they read; each may be a file system of its own. */
const places = ["/boot", "/boot/efi", "/boot/firmware", "/efi"] as const;

/** The ones that this machine has. */
export function bootPlaces(files: Files): readonly string[] {
  return places.filter((place) => files.stat(place)?.kind === "directory");
}

/** The same, where they lie for the programs of this host. */
export function hostBootPlaces(files: Files): readonly string[] {
  return bootPlaces(files).map((place) => files.hostPath(place));
}

/** Where they keep kernels and initrds, as NixOS's installers name the places. */
export const kernelPlaces = [
  ...["/boot/EFI/nixos", "/boot/efi/EFI/nixos", "/efi/EFI/nixos"],
  ...["/boot/kernels", "/boot/nixos"],
] as const;
