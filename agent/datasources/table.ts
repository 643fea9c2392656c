import { cloudDatasource } from "./cloud.ts";
import { clouds } from "./clouds/table.ts";
import { configDrive } from "./config-drive.ts";
import { credentials } from "./credentials.ts";
import type { Datasource } from "./datasource.ts";
import { noCloud } from "./nocloud.ts";

/**
 * Every datasource by name, in the order in which they are tried: what is addressed to firstlight by
 * name, then cloud-init's built-in order (docs/datasources.md).
 */
export const datasources: readonly Datasource[] = [
  credentials,
  noCloud,
  configDrive,
  ...clouds.map(cloudDatasource),
];
