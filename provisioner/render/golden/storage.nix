# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ ... }:
{
  fileSystems."/data" = {
    device = "/dev/disk/by-label/data";
    fsType = "ext4";
    options = [ "noatime" ];
    noCheck = false;
    autoFormat = true;
  };

  swapDevices = [
    {
      device = "/swapfile";
      size = 2048;
    }
    {
      device = "/swap.img";
      size = 2048;
      options = [ "nofail" ];
    }
  ];

  services.firstlight.enable = true;
}
