# Framework Laptop 13 with an Intel Core of the 12th or 13th generation: what depends on the kernel in
# use. The reasons and sources stand in profile.yaml.
{ config, lib, ... }:

let
  olderThan = lib.versionOlder config.boot.kernelPackages.kernel.version;
in
{
  boot.kernelParams =
    lib.optional (olderThan "6.2") "i915.enable_psr=1"
    ++ lib.optional (olderThan "6.8") "mem_sleep_default=deep";

  boot.blacklistedKernelModules = lib.optional (olderThan "6.8") "hid-sensor-hub";

  systemd.services = lib.mkIf (olderThan "6.8") {
    firstlight-framework-keys = {
      description = "Bind the keys for brightness and flight mode to their driver";
      wantedBy = [ "multi-user.target" ];
      unitConfig.ConditionPathExists = [
        "/sys/bus/i2c/devices/i2c-FRMW0001:00"
        "!/sys/bus/i2c/drivers/i2c_hid_acpi/i2c-FRMW0001:00"
      ];
      serviceConfig.Type = "oneshot";
      script = "echo i2c-FRMW0001:00 > /sys/bus/i2c/drivers/i2c_hid_acpi/bind";
    };
  };
}
