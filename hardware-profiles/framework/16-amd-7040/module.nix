# Framework Laptop 16 (AMD Ryzen 7040 Series): what depends on the kernel in use. The reason and source
# stand in profile.yaml.
{ config, lib, ... }:

let
  olderThan = lib.versionOlder config.boot.kernelPackages.kernel.version;
in
{
  boot.kernelParams = lib.optional (olderThan "6.6" && !(olderThan "6.2")) "amdgpu.sg_display=0";
}
