# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ ... }:
{
  services.firstlight.enable = true;
  services.fwupd.enable = true;

  boot.kernel.sysctl = {
    "vm.swappiness" = 10;
  };
}
