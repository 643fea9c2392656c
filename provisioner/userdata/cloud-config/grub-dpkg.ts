import { type RefusedKey, refused, refusedModule } from "./refused.ts";

const way =
  "NixOS has no dpkg; set boot.loader.grub.device or boot.loader.grub.devices under `firstlight: options`";

const grub: RefusedKey = refused.mapping(way, {
  enabled: refused.flag("NixOS installs the boot loader itself, as boot.loader says", () => true),
  "grub-pc/install_devices": refused.text(way),
  "grub-pc/install_devices_empty": refused.anyOf(["true or false", "text"], way, (value) => {
    return value === false || value === "false";
  }),
  "grub-efi/install_devices": refused.text(
    "NixOS has no dpkg; set boot.loader.efi.efiSysMountPoint under `firstlight: options`",
  ),
});

/** `grub_dpkg`: where the package of GRUB of Debian installs itself. */
export const grubDpkg = refusedModule({
  name: "grub_dpkg",
  rule:
    "NixOS has no dpkg: at each change of the system it installs the boot loader itself, where boot.loader says. " +
    "To switch the module on or off is needed nowhere.",
  example: "grub_dpkg:\n  enabled: true\n  grub-pc/install_devices: /dev/sda\n",
  keys: { grub_dpkg: grub, "grub-dpkg": grub },
});
