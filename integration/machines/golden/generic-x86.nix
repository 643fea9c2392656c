# The hardware: Any PC.
# Written by firstlight; changes belong into local.nix.

{ config, lib, ... }:
{
  nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";

  boot.initrd.availableKernelModules = [
    "ahci"
    "ehci_pci"
    "nvme"
    "sd_mod"
    "sdhci_pci"
    "sr_mod"
    "uas"
    "usb_storage"
    "usbhid"
    "virtio_blk"
    "virtio_pci"
    "virtio_scsi"
    "xhci_pci"
  ];

  boot.loader.systemd-boot.enable = lib.mkDefault true;
  boot.loader.efi.canTouchEfiVariables = lib.mkOverride 1100 true;

  hardware = {
    cpu.intel.updateMicrocode = lib.mkDefault config.hardware.enableRedistributableFirmware;
    enableRedistributableFirmware = lib.mkDefault true;
  };

  services.fwupd.enable = lib.mkOverride 900 true;
  services.fstrim.enable = lib.mkDefault true;

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
