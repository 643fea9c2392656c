# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ lib, ... }:
{
  nix.nixPath = [
    "nixpkgs=/nix/store/00000000000000000000000000000000-nixpkgs"
    "nixos-config=/etc/nixos/configuration.nix"
  ];

  environment.etc."firstlight/pins/nixpkgs".source =
    builtins.storePath "/nix/store/00000000000000000000000000000000-nixpkgs";
  environment.etc."firstlight/pins/firstlight".source =
    builtins.storePath "/nix/store/00000000000000000000000000000000-firstlight-0.1.0";

  services.firstlight = {
    enable = true;
    package = builtins.storePath "/nix/store/00000000000000000000000000000000-firstlight-0.1.0";
    settings = {
      datasources = lib.mkOverride 1200 [ "NoCloud" ];
      policy = {
        changes = lib.mkOverride 1200 "hold";
      };
    };
    pins = {
      nixpkgs = {
        storePath = lib.mkOverride 1200 "/nix/store/00000000000000000000000000000000-nixpkgs";
        narHash = lib.mkOverride 1200 null;
        revision = lib.mkOverride 1200 null;
      };
      firstlight = {
        storePath = lib.mkOverride 1200 "/nix/store/00000000000000000000000000000000-firstlight-0.1.0";
        narHash = lib.mkOverride 1200 null;
        revision = lib.mkOverride 1200 null;
      };
    };
  };
}
