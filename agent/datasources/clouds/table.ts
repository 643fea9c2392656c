import type { Cloud } from "../cloud.ts";
import { ec2 } from "./ec2.ts";
import { gce } from "./gce.ts";

/** Every cloud, in the order in which they are tried (cloud-init's built-in order). */
export const clouds: readonly Cloud[] = [gce, ec2];
