import t from "tap";
import { checkCases } from "./check-cases.ts";

checkCases(t, [
  {
    name: "with its licence accepted NVIDIA's driver is there",
    yaml: "drivers: {nvidia: {license-accepted: true}}\n",
    spec: {
      options: {
        "services.xserver.videoDrivers": ["nvidia"],
      },
      unfree: ["nvidia-x11", "nvidia-settings", "nvidia-persistenced"],
    },
  },
  {
    name: "without it nothing is installed; a version is that of nixpkgs",
    yaml: "drivers: {nvidia: {license-accepted: false, version: '470'}}\n",
    spec: {},
    says: [
      "note cloud-config/no-meaning 2:20 drivers.nvidia.license-accepted",
      "warning cloud-config/unsupported-key 2:45 drivers.nvidia.version",
    ],
  },
  {
    name: "wrong types in each place",
    yaml: "drivers: {nvidia: {license-accepted: [a], version: 470}}\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:38 drivers.nvidia.license-accepted",
      "error user-data/wrong-type 2:52 drivers.nvidia.version",
    ],
  },
  {
    name: "a licence must be said",
    yaml: "drivers: {nvidia: {}}\n",
    spec: {},
    says: ["error user-data/wrong-type 2:19 drivers.nvidia"],
  },
  {
    name: "a text is no driver",
    yaml: "drivers: {nvidia: a}\n",
    spec: {},
    says: ["error user-data/wrong-type 2:19 drivers.nvidia"],
  },
  {
    name: "a list is no section",
    yaml: "drivers: [a]\n",
    spec: {},
    says: ["error user-data/wrong-type 2:10 drivers"],
  },
]);
