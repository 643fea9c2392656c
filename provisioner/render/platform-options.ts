import { attrs, bind, bool, call, type NixExpr, ref, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign } from "./assignment.ts";
import type { Platform } from "./base.ts";

/** Root file system and boot loader as they were found, where no profile knows better. */
export function renderPlatform(platform: Platform | null): readonly Assignment[] {
  if (platform === null) return [];
  return [
    ...platform.fileSystems.map(({ path, device, type }) => {
      const value = attrs([bind("device", str(device)), bind("fsType", str(type))]);
      return assign(["fileSystems", path], fallback(value));
    }),
    ...renderBootLoader(platform),
  ];
}

function renderBootLoader({ bootLoader, esp }: Platform): readonly Assignment[] {
  const set = (path: readonly string[], value: NixExpr) =>
    assign(["boot", "loader", ...path], fallback(value));
  const efi = [
    set(["efi", "canTouchEfiVariables"], bool(true)),
    ...(esp === null || esp === "/boot" ? [] : [set(["efi", "efiSysMountPoint"], str(esp))]),
  ];
  if (bootLoader === "systemd-boot") {
    return [set(["systemd-boot", "enable"], bool(true)), ...efi];
  }
  if (bootLoader === "extlinux") {
    return [
      set(["grub", "enable"], bool(false)),
      set(["generic-extlinux-compatible", "enable"], bool(true)),
    ];
  }
  const device = set(["grub", "device"], str(bootLoader.grub));
  return bootLoader.grub === "nodev"
    ? [device, set(["grub", "efiSupport"], bool(true)), ...efi]
    : [device];
}

/** What is found gives way to what somebody says. */
export function fallback(value: NixExpr): NixExpr {
  return call(ref("lib", "mkDefault"), value);
}
