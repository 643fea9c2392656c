# What NixOS declares for images of SD cards, as far as modules of hardware set it.
{ lib, ... }:
{
  options.sdImage = lib.mkOption {
    type = lib.types.submodule {
      freeformType = lib.types.attrsOf lib.types.anything;
      options.imageBaseName = lib.mkOption {
        type = lib.types.str;
        default = "nixos-sd-image";
      };
    };
    default = { };
  };
}
