# A stand-in for home-manager's module of NixOS: the options that are rendered, with their types, and what
# becomes of them: files of a home as a tree, linked by a unit as the user.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.home-manager;
  file = types.submodule {
    options = {
      text = mkOption { type = types.str; };
      executable = mkOption {
        type = types.nullOr types.bool;
        default = null;
      };
      force = mkOption {
        type = types.bool;
        default = false;
      };
    };
  };
  user = types.submodule (
    { name, ... }:
    {
      options = {
        home = {
          stateVersion = mkOption { type = types.str; };
          username = mkOption {
            type = types.str;
            default = config.users.users.${name}.name;
          };
          packages = mkOption {
            type = types.listOf types.package;
            default = [ ];
          };
          file = mkOption {
            type = types.attrsOf file;
            default = { };
          };
        };
        programs = mkOption {
          type = types.attrsOf types.anything;
          default = { };
        };
      };
    }
  );
in
{
  options.home-manager = {
    useGlobalPkgs = mkOption {
      type = types.bool;
      default = false;
    };
    useUserPackages = mkOption {
      type = types.bool;
      default = false;
    };
    backupFileExtension = mkOption {
      type = types.nullOr types.str;
      default = null;
    };
    users = mkOption {
      type = types.attrsOf user;
      default = { };
    };
  };

  config.systemd.services = builtins.listToAttrs (
    map (name: {
      name = "home-manager-${name}";
      value = {
        description = "Home Manager environment for ${name}";
        wantedBy = [ "multi-user.target" ];
        serviceConfig = {
          User = cfg.users.${name}.home.username;
          ExecStart = "${pkgs.writeText "home-${name}" (builtins.toJSON cfg.users.${name}.home.file)}";
        };
      };
    }) (builtins.attrNames cfg.users)
  );
}
