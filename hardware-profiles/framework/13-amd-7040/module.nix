# Framework Laptop 13 (AMD Ryzen 7040 Series): what depends on the kernel in use, and what adds to
# the settings of others. The reasons and sources stand in profile.yaml.
{ config, lib, ... }:

let
  olderThan = lib.versionOlder config.boot.kernelPackages.kernel.version;
in
{
  boot.kernelParams =
    lib.optional (olderThan "6.8") "rtc_cmos.use_acpi_alarm=1"
    ++ lib.optional (olderThan "6.6") "amdgpu.sg_display=0";

  services.udev.extraRules = ''
    ACTION=="add", SUBSYSTEM=="usb", ATTR{idVendor}=="0bda", ATTR{idProduct}=="8156", ATTR{power/autosuspend}="20"
  '';
}
