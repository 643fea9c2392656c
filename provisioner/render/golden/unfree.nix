# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ lib, pkgs, ... }:
{
  environment.systemPackages = [
    pkgs.vscode
    pkgs.cudaPackages.cudatoolkit
  ];

  services.firstlight.enable = true;

  nixpkgs.config.allowUnfreePredicate =
    package:
    builtins.elem (lib.getName package) [ "vscode" ]
    || builtins.any (beginning: lib.hasPrefix beginning (lib.getName package)) [
      "cuda"
      "nvidia-"
      "libcu"
      "libnv"
      "libnpp"
    ];
}
