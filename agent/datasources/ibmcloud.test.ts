import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { configDrive } from "./config-drive.ts";
import { addDisk } from "./fake-machine.ts";
import { ibmCloud } from "./ibmcloud.ts";
import { makeFat, needs, writeTree } from "./images/make-images.ts";
import { tryDrive } from "./try-drive.ts";

const userData = "#cloud-config\ntimezone: UTC\n";
const uuid = "ad6e2a4c-5ac0-4f6b-9a1d-a2a4d4a9c7f5";
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJlbmNo alice";
const tree = {
  "openstack/latest/meta_data.json": JSON.stringify({
    ...{ uuid, hostname: "edge-7", public_keys: { "1": key } },
  }),
  "openstack/latest/user_data": userData,
};
const disk = { label: "config-2", type: "vfat", serial: "9796-932E", name: "xvdh" } as const;

tryDrive(t, {
  datasource: ibmCloud,
  machine: { "sys/hypervisor/type": "xen\n" },
  tree,
  on: [disk, { label: "METADATA", type: "vfat", name: "xvdh" }],
  off: [
    { ...disk, serial: "9796-932F" },
    { ...disk, label: "CIDATA" },
    { label: "config-2", type: "iso9660" },
  ],
  expected: { instanceId: uuid, hostname: "edge-7", publicKeys: [key] },
  userData,
  malformed: {
    "no document": {
      tree: { "openstack/latest/user_data": "" },
      code: "datasource/missing",
      message: /^\/dev\/xvdh: openstack\/latest\/meta_data\.json was expected/,
    },
    "no JSON": {
      tree: { "openstack/latest/meta_data.json": "{" },
      code: "datasource/malformed",
      message: /^\/dev\/xvdh: openstack\/latest: meta_data\.json: no JSON/,
    },
  },
});

t.test(
  "its disk is no config drive on Xen, and is one elsewhere",
  needs("mkfs.vfat", "mcopy"),
  async (t) => {
    const scratch = t.testdir();
    const image = makeFat(path.join(scratch, "image"), tree, {
      ...{ label: "config-2", extra: ["-i", "9796932E"] },
    });
    const machines = { xen: "xen\n", kvm: "" };
    const found = Object.entries(machines).map(([name, type]) => {
      const root = writeTree(path.join(scratch, name), { "sys/hypervisor/type": type });
      addDisk(root, "xvdh", { image });
      const io = fakeIo(root);
      return [configDrive, ibmCloud].filter((each) => each.detect(io)).map((each) => each.name);
    });
    t.same(found, [["IBMCloud"], ["ConfigDrive"]]);
  },
);

t.test(
  "a machine that is being provisioned is not yet its owner's",
  needs("mkfs.vfat", "mcopy"),
  async (t) => {
    const scratch = t.testdir();
    const root = writeTree(path.join(scratch, "root"), {
      ...{ "sys/hypervisor/type": "xen\n", "root/provisioningConfiguration.cfg": "" },
    });
    addDisk(root, "xvdh", {
      image: makeFat(path.join(scratch, "image"), tree, { label: "METADATA" }),
    });
    t.equal(ibmCloud.detect(fakeIo(root)), undefined);
    writeTree(root, { "root/swinstall.log": "", "proc/1/environ": "" });
    const { utimesSync } = await import("node:fs");
    utimesSync(path.join(root, "root/swinstall.log"), 1, 1);
    t.type(ibmCloud.detect(fakeIo(root)), "object", "the log is of an earlier boot");
  },
);
