# The hardware: Amazon EC2 instance.
# Written by firstlight; changes belong into local.nix.

{ lib, modulesPath, ... }:
{
  imports = [
    ./hardware-profiles/amazon-ec2.nix
    "${modulesPath}/virtualisation/amazon-image.nix"
  ];

  nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";

  boot = {
    kernelParams = [
      "console=ttyS0,115200n8"
      "nvme_core.io_timeout=4294967295"
    ];
    blacklistedKernelModules = [
      "nouveau"
      "xen_fbfront"
    ];
    initrd.availableKernelModules = [
      "ena"
      "nvme"
      "xen-blkfront"
      "xen-netfront"
    ];
  };

  systemd.services.amazon-init.enable = lib.mkDefault false;
}
