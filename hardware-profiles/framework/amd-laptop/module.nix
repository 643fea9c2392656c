# Framework laptops with an AMD processor: what depends on the kernel in use. The reason and source
# stand in profile.yaml.
{ config, lib, ... }:

let
  olderThan = lib.versionOlder config.boot.kernelPackages.kernel.version;
in
{
  boot.kernelParams = lib.optional (olderThan "6.8") "rtc_cmos.use_acpi_alarm=1";
}
