# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ lib, ... }:
{
  networking.hostName = lib.mkOverride 90 "edge-17";
  time.timeZone = lib.mkOverride 90 "Europe/Zurich";
  users.mutableUsers = lib.mkOverride 90 false;

  services.openssh = {
    enable = lib.mkOverride 90 true;
    settings = {
      PasswordAuthentication = lib.mkOverride 90 false;
      KbdInteractiveAuthentication = lib.mkOverride 90 false;
      PermitRootLogin = lib.mkOverride 90 "no";
    };
  };

  services.firstlight.enable = true;
  services.fwupd.enable = lib.mkOverride 90 true;

  fileSystems."/data" = {
    device = lib.mkOverride 90 "/dev/disk/by-label/data";
    fsType = lib.mkOverride 90 "ext4";
    options = lib.mkOverride 90 [ "noatime" ];
    noCheck = lib.mkOverride 90 false;
    autoFormat = lib.mkOverride 90 true;
  };
}
