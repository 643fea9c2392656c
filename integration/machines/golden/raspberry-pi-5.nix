# The hardware: Raspberry Pi 5.
# Written by firstlight; changes belong into local.nix.

{ config, lib, ... }:
{
  imports = [ ./hardware-profiles/raspberry-pi-5.nix ];

  nixpkgs.hostPlatform = lib.mkDefault "aarch64-linux";
  warnings =
    lib.optional (lib.versionOlder config.boot.kernelPackages.kernel.version "6.1.54")
      "Raspberry Pi 5: expected Linux 6.1.54 or newer.";

  boot.initrd.availableKernelModules = [
    "nvme"
    "pcie-brcmstb"
    "usb_storage"
    "usbhid"
    "vc4"
    "xhci_pci"
  ];

  boot.loader.grub.enable = lib.mkDefault false;
  boot.loader.generic-extlinux-compatible.enable = lib.mkDefault true;

  hardware = {
    enableRedistributableFirmware = lib.mkDefault true;
    deviceTree.filter = lib.mkDefault "bcm2712*-rpi-*.dtb";
  };

  fileSystems."/" = {
    device = lib.mkOverride 1250 "/dev/disk/by-label/NIXOS_SD";
    fsType = lib.mkOverride 1250 "ext4";
  };
}
