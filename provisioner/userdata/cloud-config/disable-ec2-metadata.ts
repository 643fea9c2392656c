import type { CloudConfigModule } from "./module.ts";

/** `disable_ec2_metadata`: the service of whichever cloud, and not for firstlight, which asks it on each boot. */
export const disableEc2Metadata: CloudConfigModule = {
  name: "disable_ec2_metadata",
  keys: ["disable_ec2_metadata"],
  rule:
    "`true` closes the metadata service of whichever cloud to every program but firstlight, which asks it " +
    "on each boot. `false` leaves it to the default of `metadataService`.",
  example: "disable_ec2_metadata: true\n",
  translate({ config, draft }) {
    const input = config.get("disable_ec2_metadata");
    if (input === undefined) return;
    if (typeof input.value === "number") return input.expected("true or false");
    if (input.boolean() !== true) return;
    draft.spec.metadataService = { closed: true };
    draft.origin(["metadataService", "closed"], input);
  },
};
