# The hardware: no profile fits this machine.
# Written by firstlight; changes belong into local.nix.

{ config, lib, ... }:
{
  nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";
  services.qemuGuest.enable = lib.mkOverride 900 true;

  fileSystems = {
    "/" = {
      device = lib.mkOverride 1250 "/dev/disk/by-uuid/0001";
      fsType = lib.mkOverride 1250 "ext4";
    };
    "/boot/efi" = {
      device = lib.mkOverride 1250 "/dev/disk/by-uuid/0002";
      fsType = lib.mkOverride 1250 "vfat";
      options = lib.mkIf (config.fileSystems."/boot/efi".device == "/dev/disk/by-uuid/0002") [
        "fmask=0077"
      ];
    };
  };

  swapDevices = [ { device = "/dev/disk/by-uuid/0003"; } ];

  boot.loader.systemd-boot.enable = lib.mkDefault true;

  boot.loader.efi = {
    canTouchEfiVariables = lib.mkOverride 1100 true;
    efiSysMountPoint = lib.mkDefault "/boot/efi";
  };
}
