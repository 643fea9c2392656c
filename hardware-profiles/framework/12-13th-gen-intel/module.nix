# Framework Laptop 12 (13th Gen Intel Core): what depends on the kernel in use. The reason and source
# stand in profile.yaml.
{ config, lib, ... }:

let
  olderThan = lib.versionOlder config.boot.kernelPackages.kernel.version;
in
{
  boot.extraModprobeConfig = lib.optionalString (olderThan "6.13") ''
    options snd-hda-intel model=dell-headset-multi
  '';
}
