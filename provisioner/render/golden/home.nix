# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ lib, pkgs, ... }:
{
  imports = [ "/nix/store/00000000000000000000000000000000-home-manager/nixos" ];

  users.users.alice = {
    isNormalUser = true;
    group = "alice";
  };

  users.groups.alice = { };

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

  home-manager = {
    useGlobalPkgs = lib.mkDefault true;
    useUserPackages = lib.mkDefault true;
    users.alice = lib.mkMerge [
      {
        home = {
          stateVersion = lib.mkDefault "25.11";
          packages = [ pkgs.ripgrep ];
          file."bin/hello" = {
            text = ''
              #!/bin/sh
              echo hello
            '';
            executable = true;
            force = true;
          };
        };
      }
      {
        programs = {
          git = {
            enable = true;
          };
        };
      }
    ];
  };
}
