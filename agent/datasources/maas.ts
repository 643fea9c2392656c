import { cloudDatasource } from "./cloud.ts";
import { maas as service } from "./clouds/maas.ts";
import type { Datasource } from "./datasource.ts";
import { readMaasConfig } from "./maas-config.ts";

/** MAAS, where cloud-init's settings of this machine name it. */
export const maas: Datasource = cloudDatasource({
  ...service,
  identifyBy(files) {
    const config = readMaasConfig(files);
    return config === undefined ? undefined : `${config.place}: datasource MAAS`;
  },
  addressesOn: (files) => [readMaasConfig(files)?.url ?? []].flat(),
  oAuth: (files) => readMaasConfig(files)?.oAuth,
});
