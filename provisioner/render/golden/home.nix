# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ lib, ... }:
{
  imports = [ "/nix/store/00000000000000000000000000000000-home-manager/nixos" ];

  environment.etc."firstlight/pins/home-manager".source =
    builtins.storePath "/nix/store/00000000000000000000000000000000-home-manager";

  services.firstlight = {
    enable = true;
    pins = {
      home-manager = {
        storePath = lib.mkOverride 1200 "/nix/store/00000000000000000000000000000000-home-manager";
        narHash = lib.mkOverride 1200 null;
        revision = lib.mkOverride 1200 null;
      };
    };
  };

  home-manager.users.alice = lib.mkMerge [
    { home.stateVersion = lib.mkDefault "25.11"; }
    {
      programs = {
        git = {
          enable = true;
        };
      };
    }
  ];
}
