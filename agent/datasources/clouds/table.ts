import type { Cloud } from "../cloud.ts";
import { akamai } from "./akamai.ts";
import { aliYun } from "./aliyun.ts";
import { azure } from "./azure.ts";
import { cloudCix } from "./cloudcix.ts";
import { cloudSigma } from "./cloudsigma.ts";
import { cloudStack } from "./cloudstack.ts";
import { digitalOcean } from "./digitalocean.ts";
import { ec2 } from "./ec2.ts";
import { exoscale } from "./exoscale.ts";
import { gce } from "./gce.ts";
import { hetzner } from "./hetzner.ts";
import { lxd } from "./lxd.ts";
import { maas } from "./maas.ts";
import { nwcs } from "./nwcs.ts";
import { openStack } from "./openstack.ts";
import { oracle } from "./oracle.ts";
import { scaleway } from "./scaleway.ts";
import { smartOs } from "./smartos.ts";
import { upCloud } from "./upcloud.ts";
import { vultr } from "./vultr.ts";

/** Every cloud, in the order in which they are tried (cloud-init's built-in order). */
export const clouds: readonly Cloud[] = [
  lxd,
  digitalOcean,
  azure,
  maas,
  gce,
  openStack,
  aliYun,
  vultr,
  ec2,
  cloudSigma,
  cloudStack,
  smartOs,
  scaleway,
  hetzner,
  oracle,
  exoscale,
  upCloud,
  nwcs,
  akamai,
  cloudCix,
];
