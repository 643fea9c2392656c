# The hardware: Framework Laptop 13 (13th Gen Intel Core).
# Without framework/13-inch/12th-gen-intel, framework/13-inch/13th-gen-intel of nixos-hardware, which is not pinned here.
# Written by firstlight; changes belong into local.nix.

{ config, lib, ... }:
{
  imports = [
    ./hardware-profiles/expansion-rtl8156.nix
    ./hardware-profiles/framework-intel-laptop.nix
    ./hardware-profiles/framework-13-intel.nix
    ./hardware-profiles/framework-13-12th-gen-intel.nix
  ];

  nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";
  warnings =
    lib.optional (lib.versionOlder config.boot.kernelPackages.kernel.version "6.1")
      "Framework Laptop 13 (13th Gen Intel Core): expected Linux 6.1 or newer.";

  boot = {
    kernelParams = [ "nvme.noacpi=1" ];
    blacklistedKernelModules = [ "cros-usbpd-charger" ];
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
      kernelModules = [ "i915" ];
    };
    loader.systemd-boot.enable = lib.mkDefault true;
    loader.efi.canTouchEfiVariables = lib.mkOverride 1100 true;
  };

  hardware = {
    cpu.intel.updateMicrocode = lib.mkDefault config.hardware.enableRedistributableFirmware;
    cpu.amd.updateMicrocode = lib.mkDefault false;
    enableRedistributableFirmware = lib.mkDefault true;
    acpilight.enable = lib.mkDefault true;
    sensor.iio.enable = lib.mkDefault true;
    bluetooth.enable = lib.mkDefault true;
    graphics.enable = lib.mkDefault true;
  };

  # Never both: they fight over the same settings.
  services.tlp.enable = lib.mkOverride 900 (
    if config.services.power-profiles-daemon.enable or false then false else true
  );

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
