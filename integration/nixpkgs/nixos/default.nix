# `<nixpkgs/nixos>`: a system from a configuration. Evaluates as NixOS does; builds small.
{ configuration ? import <nixos-config>, system ? builtins.currentSystem }:
let
  evaluated = import ./lib/eval-config.nix { modules = [ configuration ]; inherit system; };
in
{
  inherit (evaluated) pkgs config options;
  system = evaluated.config.system.build.toplevel;
}
