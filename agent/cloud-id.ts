import type { Files } from "#core/io.ts";
import { ec2PlatformOf } from "./datasources/clouds/ec2-platform.ts";
import { readIdentity } from "./datasources/identity.ts";

/** What cloud-init calls a cloud, where that is not the name of its datasource in lower case. */
const cloudNames: Readonly<Record<string, string>> = { SmartOS: "joyent" };

/** Clouds that have parts of their own, told by the beginning of a region. */
const regions: readonly (readonly [prefix: string, cloud: string, id: string])[] = [
  ["cn-", "aws", "aws-china"],
  ["us-gov-", "aws", "aws-gov"],
  ["china", "azure", "azure-china"],
];

/** Of a machine that no cloud is told of: a seed's, or one with a service like EC2's that is none of those known. */
const unknownCloud = "unknown";

/**
 * `cloud_name` of a datasource, as cloud-init's `query` says it: what the meta-data calls it
 * (`cloud-name`), of EC2's the cloud that the firmware tells, for several speak like it. A seed of NoCloud
 * may come from anywhere.
 */
export function cloudNameOf(datasource: string, said: string | null, files: Files): string {
  if (said !== null) return said.toLowerCase();
  if (datasource === "NoCloud") return unknownCloud;
  if (datasource === "Ec2") return ec2PlatformOf(readIdentity(files))?.cloud ?? unknownCloud;
  return cloudNames[datasource] ?? datasource.toLowerCase();
}

/** What `platform` is called, where that is not the name of the datasource in lower case. */
const platforms: Readonly<Record<string, string>> = { SmartOS: "joyent" };

/** `platform` of a datasource. */
export function platformOf(datasource: string): string {
  return platforms[datasource] ?? datasource.toLowerCase();
}

/** `cloud_id`: the cloud, or the part of it that a region belongs to; the platform where no cloud is known. */
export function cloudIdOf(cloudName: string, region: string | null, platform: string): string {
  if (cloudName === unknownCloud) return platform;
  const part = regions.find(
    ([prefix, cloud]) => cloud === cloudName && region?.startsWith(prefix) === true,
  );
  return part?.[2] ?? cloudName;
}
