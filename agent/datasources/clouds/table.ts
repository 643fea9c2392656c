import type { Cloud } from "../cloud.ts";
import { azure } from "./azure.ts";
import { digitalOcean } from "./digitalocean.ts";
import { ec2 } from "./ec2.ts";
import { gce } from "./gce.ts";
import { hetzner } from "./hetzner.ts";
import { openStack } from "./openstack.ts";
import { upCloud } from "./upcloud.ts";
import { vultr } from "./vultr.ts";

/** Every cloud, in the order in which they are tried (cloud-init's built-in order). */
export const clouds: readonly Cloud[] = [
  digitalOcean,
  azure,
  gce,
  openStack,
  vultr,
  ec2,
  hetzner,
  upCloud,
];
