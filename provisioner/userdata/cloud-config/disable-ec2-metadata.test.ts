import t from "tap";
import { checkCases } from "./check-cases.ts";

checkCases(t, [
  {
    name: "true closes the metadata service",
    yaml: "disable_ec2_metadata: true\n",
    spec: { metadataService: { closed: true } },
  },
  { name: "false asks for nothing", yaml: "disable_ec2_metadata: false\n", spec: {} },
  {
    name: "anything else is told",
    yaml: "disable_ec2_metadata: [true]\n",
    spec: {},
    says: ["error user-data/wrong-type 2:23 disable_ec2_metadata"],
  },
]);
