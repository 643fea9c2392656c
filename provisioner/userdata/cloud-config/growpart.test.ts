import t from "tap";
import { checkCases } from "./check-cases.ts";

const grown = { options: { "boot.growPartition": true } };

checkCases(t, [
  ...["auto", "growpart", "gpart"].map((mode) => ({
    name: `growpart in the mode ${mode}`,
    yaml: `growpart: {mode: ${mode}, devices: [/], ignore_growroot_disabled: true}\n`,
    spec: grown,
  })),
  {
    name: "devices are a list",
    yaml: "growpart: {devices: /}\n",
    spec: {},
    says: ["error user-data/wrong-type 2:21 growpart.devices"],
  },
  {
    name: "an empty section asks for what cloud-init does by itself",
    yaml: "growpart: {}\n",
    spec: grown,
  },
  ...["false", "{mode: off}", "{mode: false, devices: [/]}"].map((value) => ({
    name: `growpart: ${value} asks for nothing`,
    yaml: `growpart: ${value}\n`,
    spec: {},
    says: ["note cloud-config/no-meaning 2:1 growpart"],
  })),
  ...Object.entries({ "/dev/vdb1": "vdb 1", "/dev/nvme0n1p12": "nvme0n1 12" }).map(
    ([device, words]) => ({
      name: `${device} is grown by a command at each boot`,
      yaml: `growpart: {devices: [/, ${device}]}\n`,
      spec: {
        ...grown,
        packages: ["cloud-utils"],
        commands: [
          {
            name: "growpart",
            when: "early" as const,
            frequency: "always" as const,
            script: { secretRef: "growpart" },
          },
        ],
      },
      secrets: { growpart: `#!/bin/sh\ngrowpart /dev/${words} || [ $? -eq 1 ]\n` },
    }),
  ),
  {
    name: "other places than / are named",
    yaml: "growpart: {devices: [/home, /dev/vdb]}\n",
    spec: {},
    says: [
      "warning cloud-config/unsupported-key 2:22 growpart.devices.0",
      "warning cloud-config/unsupported-key 2:29 growpart.devices.1",
    ],
  },
  {
    name: "wrong types",
    yaml: "growpart: {mode: x, devices: [1], ignore_growroot_disabled: 7}\n",
    spec: {},
    says: [
      "warning cloud-config/unknown-value 2:12 growpart.mode",
      "error user-data/wrong-type 2:31 growpart.devices.0",
      "error user-data/wrong-type 2:61 growpart.ignore_growroot_disabled",
    ],
  },
  {
    name: "a list is no growpart",
    yaml: "growpart: [/]\n",
    spec: {},
    says: ["error user-data/wrong-type 2:11 growpart"],
  },
  ...["true", "noblock"].map((value) => ({
    name: `resize_rootfs: ${value}`,
    yaml: `resize_rootfs: ${value}\n`,
    spec: { options: { 'fileSystems."/".autoResize': true } },
  })),
  {
    name: "resize_rootfs: false asks for nothing",
    yaml: "resize_rootfs: false\n",
    spec: {},
    says: ["note cloud-config/no-meaning 2:1 resize_rootfs"],
  },
  {
    name: "resize_rootfs is no list",
    yaml: "resize_rootfs: [/]\n",
    spec: {},
    says: ["error user-data/wrong-type 2:16 resize_rootfs"],
  },
]);
