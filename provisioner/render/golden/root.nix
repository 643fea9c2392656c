# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ lib, pkgs, ... }:
{
  users.users.root = {
    description = lib.mkOverride 90 "Administrator";
    shell = lib.mkOverride 90 pkgs.fish;
  };

  programs.fish.enable = true;
  services.firstlight.enable = true;
}
