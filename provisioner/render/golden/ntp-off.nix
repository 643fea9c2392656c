# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ ... }:
{
  services.timesyncd.enable = false;
  services.chrony.enable = false;
  services.firstlight.enable = true;
}
