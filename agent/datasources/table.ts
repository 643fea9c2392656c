import { bigstep } from "./bigstep.ts";
import { type Cloud, cloudDatasource } from "./cloud.ts";
import { akamai } from "./clouds/akamai.ts";
import { aliYun } from "./clouds/aliyun.ts";
import { azure } from "./clouds/azure.ts";
import { cloudCix } from "./clouds/cloudcix.ts";
import { cloudSigma } from "./clouds/cloudsigma.ts";
import { cloudStack } from "./clouds/cloudstack.ts";
import { digitalOcean } from "./clouds/digitalocean.ts";
import { ec2 } from "./clouds/ec2.ts";
import { exoscale } from "./clouds/exoscale.ts";
import { gce } from "./clouds/gce.ts";
import { hetzner } from "./clouds/hetzner.ts";
import { lxd } from "./clouds/lxd.ts";
import { nwcs } from "./clouds/nwcs.ts";
import { openStack } from "./clouds/openstack.ts";
import { oracle } from "./clouds/oracle.ts";
import { scaleway } from "./clouds/scaleway.ts";
import { smartOs } from "./clouds/smartos.ts";
import { upCloud } from "./clouds/upcloud.ts";
import { vultr } from "./clouds/vultr.ts";
import { configDrive } from "./config-drive.ts";
import { credentials } from "./credentials.ts";
import type { Datasource } from "./datasource.ts";
import { ibmCloud } from "./ibmcloud.ts";
import { maas } from "./maas.ts";
import { noCloud } from "./nocloud.ts";
import { openNebula } from "./opennebula.ts";
import { ovf } from "./ovf.ts";
import { rbxCloud } from "./rbxcloud.ts";
import { usb } from "./usb.ts";
import { vmware } from "./vmware.ts";

/**
 * Every datasource by name, in the order in which they are tried: credentials that are addressed
 * to firstlight, cloud-init's built-in order, and last what anybody may plug in (docs/datasources.md).
 */
export const datasources: readonly Datasource[] = (
  [
    credentials,
    noCloud,
    configDrive,
    lxd,
    openNebula,
    digitalOcean,
    azure,
    vmware,
    ovf,
    maas,
    gce,
    openStack,
    aliYun,
    vultr,
    ec2,
    cloudSigma,
    cloudStack,
    smartOs,
    bigstep,
    scaleway,
    hetzner,
    ibmCloud,
    oracle,
    exoscale,
    rbxCloud,
    upCloud,
    nwcs,
    akamai,
    cloudCix,
    usb,
  ] satisfies readonly (Datasource | Cloud)[]
).map(datasourceOf);

function datasourceOf(each: Datasource | Cloud): Datasource {
  return "service" in each ? cloudDatasource(each) : each;
}
