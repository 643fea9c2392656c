# The hardware: no profile fits this machine.
# Written by firstlight; changes belong into local.nix.

{ lib, ... }:
{
  nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";

  fileSystems = {
    "/" = lib.mkDefault {
      device = "/dev/disk/by-uuid/0001";
      fsType = "ext4";
    };
    "/boot/efi" = lib.mkDefault {
      device = "/dev/disk/by-uuid/0002";
      fsType = "vfat";
      options = [ "fmask=0077" ];
    };
  };

  swapDevices = [ { device = "/dev/disk/by-uuid/0003"; } ];

  boot.loader.systemd-boot.enable = lib.mkDefault true;

  boot.loader.efi = {
    canTouchEfiVariables = lib.mkDefault true;
    efiSysMountPoint = lib.mkDefault "/boot/efi";
  };
}
