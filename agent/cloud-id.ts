/** What cloud-init calls a cloud, where that is not the name of its datasource in lower case. */
const cloudNames: Readonly<Record<string, string>> = { Ec2: "aws", SmartOS: "joyent" };

/** Clouds that have parts of their own, told by the beginning of a region. */
const regions: readonly (readonly [prefix: string, cloud: string, id: string])[] = [
  ["cn-", "aws", "aws-china"],
  ["us-gov-", "aws", "aws-gov"],
  ["china", "azure", "azure-china"],
];

/** `cloud_name` of a datasource, as cloud-init's `query` says it. */
export function cloudNameOf(datasource: string): string {
  return cloudNames[datasource] ?? datasource.toLowerCase();
}

/** What `platform` is called, where that is not the name of the datasource in lower case. */
const platforms: Readonly<Record<string, string>> = { SmartOS: "joyent" };

/** `platform` of a datasource. */
export function platformOf(datasource: string): string {
  return platforms[datasource] ?? datasource.toLowerCase();
}

/** `cloud_id`: the cloud, or the part of it that a region belongs to. */
export function cloudIdOf(cloudName: string, region: string | null): string {
  const part = regions.find(
    ([prefix, cloud]) => cloud === cloudName && region?.startsWith(prefix) === true,
  );
  return part?.[2] ?? cloudName;
}
