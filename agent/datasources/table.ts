import { cloudDatasource } from "./cloud.ts";
import { clouds } from "./clouds/table.ts";
import { configDrive } from "./config-drive.ts";
import type { Datasource } from "./datasource.ts";
import { noCloud } from "./nocloud.ts";

/** Every datasource by name, in the order in which they are tried (cloud-init's built-in order). */
export const datasources: readonly Datasource[] = [
  noCloud,
  configDrive,
  ...clouds.map(cloudDatasource),
];
