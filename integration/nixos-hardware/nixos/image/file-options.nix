# What NixOS declares for images, as far as modules of hardware set it.
{ lib, ... }:
{
  options.image = lib.genAttrs [ "baseName" "extension" "fileName" "filePath" ] (
    name:
    lib.mkOption {
      type = lib.types.str;
      default = name;
    }
  );
}
