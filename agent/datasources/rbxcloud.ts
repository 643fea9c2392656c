import { driveDatasource } from "./drive-datasource.ts";
import { hasLabel } from "./seed-disks.ts";

const labels = ["CLOUDMD", "cloudmd"];

/**
 * RbxCloud, of Rootbox and HyperOne: a disk labelled `CLOUDMD` with `cloud.json`, as cloud-init has it
 * (https://docs.cloud-init.io/en/latest/reference/datasources/rbxcloud.html).
 */
export const rbxCloud = driveDatasource({
  name: "RbxCloud",
  directories: [],
  document: "cloud.json",
  fits: (volume) => hasLabel(volume, labels),
  load: async () => (await import("./rbxcloud-content.ts")).readRbxCloud,
});
