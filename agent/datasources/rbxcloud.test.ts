import t from "tap";
import { rbxCloud } from "./rbxcloud.ts";
import { tryDrive } from "./try-drive.ts";

const userData = "#cloud-config\ntimezone: UTC\n";
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJlbmNo alice";
const cloud = {
  vm: { _id: "5c1a0f2e", name: "edge-7" },
  additionalMetadata: { username: "nixos", sshKeys: [key] },
  netadp: [
    {
      macaddress: "00:15:5D:FF:0F:03",
      ip: [{ address: "192.0.2.7" }],
      network: {
        ...{ gateway: "192.0.2.1", netmask: "255.255.255.0" },
        dns: { nameservers: ["192.0.2.53"] },
      },
    },
  ],
};
const tree = { "cloud.json": JSON.stringify(cloud), "user.data": userData };
const disk = { label: "CLOUDMD", type: "vfat" } as const;
const broken = (document: unknown) => ({ "cloud.json": JSON.stringify(document) });

tryDrive(t, {
  datasource: rbxCloud,
  tree,
  on: [disk],
  off: [
    { ...disk, label: "CLOUDMD2" },
    { ...disk, label: "CIDATA" },
  ],
  expected: {
    ...{ instanceId: "5c1a0f2e", hostname: "edge-7", publicKeys: [key] },
    networkConfig: { secretRef: "network-config" },
  },
  userData,
  malformed: {
    "no document": {
      tree: { "user.data": "" },
      code: "datasource/missing",
      message: /^\/dev\/vdb\/cloud\.json was expected, there is "user\.data"$/,
    },
    "no JSON": {
      tree: { "cloud.json": "{" },
      code: "datasource/malformed",
      message: /^\/dev\/vdb: cloud\.json: no JSON/,
    },
    "no machine": {
      tree: broken({ ...cloud, vm: undefined }),
      code: "datasource/malformed",
      message: /cloud\.json: vm\._id: a text was expected, there is none$/,
    },
    "an adapter without a mask": {
      tree: broken({ ...cloud, netadp: [{ ...cloud.netadp[0], network: {} }] }),
      code: "datasource/malformed",
      message: /cloud\.json: netadp\.0\.network\.netmask: a text was expected/,
    },
  },
});
