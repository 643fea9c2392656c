# Framework Laptop 13 (AMD Ryzen 7040 Series): what depends on the kernel in use. The reasons and
# sources stand in profile.yaml.
{ config, lib, ... }:

let
  olderThan = lib.versionOlder config.boot.kernelPackages.kernel.version;
in
{
  boot.kernelParams = lib.optional (olderThan "6.6" && !(olderThan "6.2")) "amdgpu.sg_display=0";

  boot.extraModprobeConfig = lib.optionalString (olderThan "6.6.8") ''
    options snd-hda-intel model=dell-headset-multi
  '';
}
