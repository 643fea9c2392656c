import { bootcmd, runcmd } from "./commands.ts";
import { disableEc2Metadata } from "./disable-ec2-metadata.ts";
import { hostname } from "./hostname.ts";
import { keyboard, locale, timezone } from "./locale.ts";
import type { CloudConfigModule } from "./module.ts";
import { ntp } from "./ntp.ts";
import { packages } from "./packages.ts";
import { ssh } from "./ssh.ts";
import { usersGroups } from "./users.ts";
import { writeFiles } from "./write-files.ts";

/**
 * Every module of cloud-config that is translated, in the order in which their parts stand in the
 * spec; `ssh` after `users_groups`, which finds the default user.
 */
export const cloudConfigModules: readonly CloudConfigModule[] = [
  hostname,
  timezone,
  locale,
  keyboard,
  ntp,
  usersGroups,
  ssh,
  packages,
  writeFiles,
  disableEc2Metadata,
  bootcmd,
  runcmd,
];
