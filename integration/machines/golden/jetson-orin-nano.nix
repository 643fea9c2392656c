# The hardware: NVIDIA Jetson Orin (Nano, NX, AGX).
# Written by firstlight; changes belong into local.nix.

{ config, lib, ... }:
{
  nixpkgs.hostPlatform = lib.mkDefault "aarch64-linux";
  warnings =
    lib.optional (lib.versionOlder config.boot.kernelPackages.kernel.version "6.6")
      "NVIDIA Jetson Orin (Nano, NX, AGX): expected Linux 6.6 or newer.";

  boot.initrd.availableKernelModules = [
    "ahci"
    "i2c-tegra"
    "nvme"
    "pcie-tegra194"
    "phy-tegra-xusb"
    "phy-tegra194-p2u"
    "sd_mod"
    "sdhci-tegra"
    "uas"
    "usb_storage"
    "usbhid"
    "virtio_blk"
    "virtio_pci"
    "virtio_scsi"
    "xhci-tegra"
    "xhci_pci"
  ];

  boot.loader.systemd-boot.enable = lib.mkDefault true;
  boot.loader.efi.canTouchEfiVariables = lib.mkOverride 1100 true;

  services.fwupd.enable = lib.mkOverride 900 true;
  services.fstrim.enable = lib.mkDefault true;

  hardware.enableRedistributableFirmware = lib.mkDefault true;

  fileSystems = {
    "/" = {
      device = lib.mkOverride 1250 "/dev/disk/by-label/nixos";
      fsType = lib.mkOverride 1250 "ext4";
    };
    "/boot" = {
      device = lib.mkOverride 1250 "/dev/disk/by-label/ESP";
      fsType = lib.mkOverride 1250 "vfat";
    };
  };
}
