# The hardware: QEMU or KVM guest.
# Written by firstlight; changes belong into local.nix.

{ lib, ... }:
{
  nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";

  boot.initrd = {
    availableKernelModules = [
      "ahci"
      "sd_mod"
      "sr_mod"
      "virtio_blk"
      "virtio_mmio"
      "virtio_net"
      "virtio_pci"
      "virtio_scsi"
    ];
    kernelModules = [
      "virtio_balloon"
      "virtio_console"
      "virtio_rng"
    ];
  };

  boot.loader.grub.device = lib.mkDefault "/dev/disk/by-id/virtio-root";

  services.qemuGuest.enable = lib.mkDefault true;
  services.fstrim.enable = lib.mkDefault true;

  fileSystems."/" = {
    device = lib.mkOverride 1250 "/dev/disk/by-label/nixos";
    fsType = lib.mkOverride 1250 "ext4";
  };
}
