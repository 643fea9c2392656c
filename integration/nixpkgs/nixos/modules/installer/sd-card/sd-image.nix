# A raspberry pi or another board: one ext4 root and the generic loader.
{ lib, ... }: {
  fileSystems."/" = { device = lib.mkDefault "/dev/disk/by-label/NIXOS_SD"; fsType = lib.mkDefault "ext4"; };
  boot.loader.grub.enable = lib.mkDefault false;
  boot.loader.generic-extlinux-compatible.enable = lib.mkDefault true;
}
