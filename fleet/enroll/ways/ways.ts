import type { KeyObject } from "node:crypto";
import type { AzurePolicy } from "./azure.ts";
import type { Ec2Policy } from "./ec2.ts";
import type { GcePolicy } from "./gce.ts";

/** By what nodes may enrol; a way that is absent is closed. */
export interface Ways {
  /** The fleet's key for tokens. */
  readonly token?: { readonly key: KeyObject };
  readonly ec2?: Ec2Policy;
  readonly gce?: GcePolicy;
  readonly azure?: AzurePolicy;
  readonly code?: object;
}
