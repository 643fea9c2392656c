# `<nixpkgs>`: the package set.
{ system ? builtins.currentSystem, config ? { }, overlays ? [ ], ... }:
import ./pkgs { inherit system config overlays; lib = import ./lib; }
