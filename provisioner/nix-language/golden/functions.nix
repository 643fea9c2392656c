{
  lib,
  pkgs ? null,
  settings ? {
    a = 1;
  },
}:
let
  identity = x: x;
  make = final: prev: {
    a = 1;
    b = 2;
  };
  inherit (lib) mkIf;
  inherit lib pkgs;
  inherit (settings)
    a
    b
    c
    d
    ;
in
{
  imported = import ./templates/docker-host {
    a = 1;
    b = 2;
  };
  selected = (import ./a.nix { }).b;
  fallback = settings.a."b c" or { };
  packages = with pkgs; [
    vim
    git
  ];
  applied = lib.mapAttrs (name: value: name) {
    a = 1;
    b = 2;
  };
  overlay =
    { x, ... }:
    {
      a = 1;
    };
  chosen =
    if true then
      "a"
    else if false then
      "b"
    else
      {
        a = 1;
        b = 2;
      };
}
