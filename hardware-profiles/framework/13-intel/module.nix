# Framework Laptop 13 with an Intel Core of the 11th to 13th generation: what depends on the kernel in
# use. The reasons and sources stand in profile.yaml.
{ config, lib, ... }:

let
  olderThan = lib.versionOlder config.boot.kernelPackages.kernel.version;
in
{
  boot.kernelParams = lib.optional (olderThan "6.8") "acpi_osi=\"!Windows 2020\"";

  boot.extraModprobeConfig = lib.optionalString (olderThan "6.6.8") ''
    options snd-hda-intel model=dell-headset-multi
  '';
}
