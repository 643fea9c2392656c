import type { Cloud } from "../cloud.ts";
import { akamai } from "./akamai.ts";
import { aliYun } from "./aliyun.ts";
import { cloudCix } from "./cloudcix.ts";
import { cloudStack } from "./cloudstack.ts";
import { ec2 } from "./ec2.ts";
import { exoscale } from "./exoscale.ts";
import { nwcs } from "./nwcs.ts";
import { oracle } from "./oracle.ts";
import { scaleway } from "./scaleway.ts";

/** Every cloud, in the order in which they are tried (cloud-init's built-in order). */
export const clouds: readonly Cloud[] = [
  aliYun,
  ec2,
  cloudStack,
  scaleway,
  oracle,
  exoscale,
  nwcs,
  akamai,
  cloudCix,
];
