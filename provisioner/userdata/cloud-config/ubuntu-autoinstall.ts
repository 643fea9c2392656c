import { refused, refusedModule } from "./refused.ts";

/** `autoinstall`: answers for the installer of Ubuntu, which reads them itself. */
export const ubuntuAutoinstall = refusedModule({
  name: "ubuntu_autoinstall",
  rule:
    "The section is for the installer of Ubuntu, and cloud-init only looks whether it has a version. A disk is laid " +
    "out for NixOS by disko or by systemd.repart; what else stands there (identity, ssh, packages) has keys of " +
    "cloud-config.",
  example: "autoinstall:\n  version: 1\n",
  keys: {
    autoinstall: refused.mapping(
      "this is for the installer of Ubuntu; write its `user-data` as the cloud-config, and lay disks out with disko",
    ),
  },
});
