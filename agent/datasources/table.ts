import { cloudDatasource } from "./cloud.ts";
import { clouds } from "./clouds/table.ts";
import { configDrive } from "./config-drive.ts";
import { credentials } from "./credentials.ts";
import type { Datasource } from "./datasource.ts";
import { noCloud } from "./nocloud.ts";
import { usb } from "./usb.ts";

/**
 * Every datasource by name, in the order in which they are tried: credentials that are addressed
 * to firstlight, cloud-init's built-in order, and last what anybody may plug in (docs/datasources.md).
 */
export const datasources: readonly Datasource[] = [
  credentials,
  noCloud,
  configDrive,
  ...clouds.map(cloudDatasource),
  usb,
];
