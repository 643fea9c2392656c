# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ pkgs, ... }:
{
  environment.systemPackages = [
    pkgs.htop
    pkgs.python3Packages.requests
  ];

  services.firstlight.enable = true;
}
