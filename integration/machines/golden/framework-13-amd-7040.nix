# The hardware: Framework Laptop 13 (AMD Ryzen 7040 Series).
# Without framework/13-inch/7040-amd of nixos-hardware, which is not pinned here.
# Written by firstlight; changes belong into local.nix.

{ config, lib, ... }:
{
  imports = [
    ./hardware-profiles/expansion-rtl8156.nix
    ./hardware-profiles/framework-amd-laptop.nix
    ./hardware-profiles/framework-13-amd-7040.nix
  ];

  nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";
  warnings =
    lib.optional (lib.versionOlder config.boot.kernelPackages.kernel.version "6.1")
      "Framework Laptop 13 (AMD Ryzen 7040 Series): expected Linux 6.1 or newer.";

  boot = {
    kernelParams = [
      "amd_pstate=active"
      "amdgpu.dcdebugmask=0x10"
    ];
    initrd = {
      availableKernelModules = [
        "ahci"
        "ehci_pci"
        "i2c_hid_acpi"
        "nvme"
        "sd_mod"
        "sdhci_pci"
        "sr_mod"
        "thunderbolt"
        "uas"
        "usb_storage"
        "usbhid"
        "virtio_blk"
        "virtio_pci"
        "virtio_scsi"
        "xhci_pci"
      ];
      kernelModules = [ "amdgpu" ];
    };
    loader.systemd-boot.enable = lib.mkDefault true;
    loader.efi.canTouchEfiVariables = lib.mkOverride 1100 true;
  };

  hardware = {
    cpu.amd.updateMicrocode = lib.mkDefault config.hardware.enableRedistributableFirmware;
    cpu.intel.updateMicrocode = lib.mkDefault false;
    enableRedistributableFirmware = lib.mkDefault true;
    sensor.iio.enable = lib.mkDefault true;
    bluetooth.enable = lib.mkDefault true;
    graphics.enable = lib.mkDefault true;
  };

  # Never both: they fight over the same settings.
  services.power-profiles-daemon.enable = lib.mkOverride 900 (
    if config.services.tlp.enable or false then false else true
  );

  services.tlp.enable = lib.mkOverride 900 false;
  services.fprintd.enable = lib.mkDefault true;
  services.fwupd.enable = lib.mkDefault true;
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
