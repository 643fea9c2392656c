import t from "tap";
import { subplatformOf } from "./subplatform.ts";

t.test("subplatform is written as cloud-init writes it", async (t) => {
  for (const [name, place, expected] of [
    ["Ec2", "http://169.254.169.254", "metadata (http://169.254.169.254)"],
    ["NoCloud", "disk /dev/sr0", "config-disk (/dev/sr0)"],
    [
      "NoCloud",
      "seed directory /var/lib/cloud/seed/nocloud",
      "seed-dir (/var/lib/cloud/seed/nocloud)",
    ],
    [
      "NoCloud",
      "system serial number, seedfrom http://192.0.2.1/",
      "seed-dir (dmi,http://192.0.2.1/)",
    ],
    ["ConfigDrive", "directory /config-drive", "seed-dir (/config-drive)"],
    ["LXD", "unix:/dev/lxd/sock", "LXD socket API v. 1.0 (/dev/lxd/sock)"],
    ["SmartOS", "serial:/dev/ttyS1", "serial (/dev/ttyS1)"],
    ["CloudSigma", "serial:/dev/ttyS1", "cepko (/dev/ttyS1)"],
    ["MAAS", "http://192.0.2.1/MAAS/metadata", "seed-dir (http://192.0.2.1/MAAS/metadata)"],
    ["Azure", "http://169.254.169.254", "imds (IMDS)"],
    ["VMware", "guestinfo", "guestinfo (guestinfo.metadata)"],
    ["OVF", "guestinfo.ovfEnv", "ovf (com.vmware.guestInfo)"],
    ["usb", "disk /dev/sdb1", "config-disk (/dev/sdb1)"],
    ["credentials", "credential firstlight.seed", "credential (firstlight.seed)"],
  ] as const) {
    const datasource = { name, place, identity: "", removable: false, evidence: [] };
    t.equal(subplatformOf(datasource), expected);
  }
});
