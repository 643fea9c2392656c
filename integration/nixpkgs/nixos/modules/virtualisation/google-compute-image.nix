# The cloud's image's root file system and boot loader.
{ lib, ... }: {
  imports = [ ../profiles/headless.nix ];
  fileSystems."/" = { device = lib.mkDefault "/dev/disk/by-label/nixos"; fsType = lib.mkDefault "ext4"; autoResize = lib.mkDefault true; };
  boot.growPartition = lib.mkDefault true;
  boot.loader.grub.device = lib.mkDefault "/dev/vda";
  boot.kernelParams = [ "console=ttyS0" ];
  services.openssh.enable = lib.mkDefault true;
}
