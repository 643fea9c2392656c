const mebi = 1024 * 1024;

/** Documents of one version of OpenStack's layout, with the bytes that they have at most. */
export const driveLimits = {
  "meta_data.json": mebi,
  user_data: 16 * mebi,
  "vendor_data.json": 16 * mebi,
  "vendor_data2.json": 16 * mebi,
  "network_data.json": mebi,
} as const;

export type DriveFile = keyof typeof driveLimits;

export const driveFiles = Object.keys(driveLimits) as readonly DriveFile[];

/** Versions of the layout that are known, newest first, as cloud-init knows them. */
const versions = [
  ...["2018-08-27", "2017-02-22", "2016-10-06", "2016-06-30"],
  ...["2015-10-15", "2013-10-17", "2013-04-04", "2012-08-10"],
];

/** The newest version that is known among those that there are, else `latest`. */
export function newestVersion(present: readonly string[]): string {
  return versions.find((known) => present.includes(known)) ?? "latest";
}
