import t from "tap";
import { checkCases } from "./check-cases.ts";

checkCases(t, [
  ...["true", "localhost", "template"].map((value) => ({
    name: `manage_etc_hosts: ${value} is so anyway`,
    yaml: `manage_etc_hosts: ${value}\n`,
    spec: {},
  })),
  {
    name: "false is told: NixOS writes the file all the same",
    yaml: "manage_etc_hosts: false\n",
    spec: {},
    says: ["note cloud-config/no-meaning 2:1 manage_etc_hosts"],
  },
  {
    name: "anything else is an error",
    yaml: "manage_etc_hosts: [a]\n",
    spec: {},
    says: ["error user-data/wrong-type 2:19 manage_etc_hosts"],
  },
]);
