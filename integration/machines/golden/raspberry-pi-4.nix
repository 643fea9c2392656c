# The hardware: Raspberry Pi 4 Model B.
# Written by firstlight; changes belong into local.nix.

{ config, lib, ... }:
{
  nixpkgs.hostPlatform = lib.mkDefault "aarch64-linux";
  warnings =
    lib.optional (lib.versionOlder config.boot.kernelPackages.kernel.version "6.1")
      "Raspberry Pi 4 Model B: expected Linux 6.1 or newer.";

  boot.initrd.availableKernelModules = [
    "mmc_block"
    "pcie_brcmstb"
    "reset-raspberrypi"
    "sdhci_iproc"
    "usb_storage"
    "usbhid"
    "vc4"
    "xhci_pci"
  ];

  boot.loader.grub.enable = lib.mkDefault false;
  boot.loader.generic-extlinux-compatible.enable = lib.mkDefault true;

  hardware = {
    enableRedistributableFirmware = lib.mkDefault true;
    deviceTree.filter = lib.mkDefault "bcm2711-rpi-*.dtb";
  };

  fileSystems."/" = {
    device = lib.mkOverride 1250 "/dev/disk/by-label/NIXOS_SD";
    fsType = lib.mkOverride 1250 "ext4";
  };
}
