# A NixOS system from a list of modules.
{ modules, system ? builtins.currentSystem, specialArgs ? { }, modulesLocation ? null, lib ? import ../../lib, ... }:
let
  evaluated = lib.evalModules {
    modules = modules ++ [
      ../options.nix
      ../etc.nix
      ../users.nix
      ../systemd.nix
      ../networkd.nix
      ../networkmanager.nix
      ../activation.nix
      ../toplevel.nix
      ({ config, ... }: {
        _file = "<the stand-in>";
        _module.args = {
          pkgs = import ../../pkgs { inherit lib; system = config.nixpkgs.hostPlatform.system or system; config = config.nixpkgs.config; inherit (config.nixpkgs) overlays; };
          # What is set, without what nobody defined; for what the tests look at.
          given = evaluated.given;
          utils = { escapeSystemdPath = lib.escapeSystemdPath; toShellPath = shell: if shell ? shellPath then "/run/current-system/sw${shell.shellPath}" else toString shell; };
        };
      })
    ];
    specialArgs = { modulesPath = toString ../modules; } // specialArgs;
    freeformType = lib.types.free;
  };
in
{
  inherit (evaluated) config options;
  inherit (evaluated.config._module.args) pkgs;
}
