import { bootcmd, runcmd } from "./commands.ts";
import { disableEc2Metadata } from "./disable-ec2-metadata.ts";
import { finalMessage } from "./final-message.ts";
import { hostname } from "./hostname.ts";
import { keysToConsole } from "./keys-to-console.ts";
import { keyboard, locale, timezone } from "./locale.ts";
import type { CloudConfigModule } from "./module.ts";
import { ntp } from "./ntp.ts";
import { packages } from "./packages.ts";
import { phoneHome } from "./phone-home.ts";
import { powerState } from "./power-state.ts";
import { randomSeed } from "./random-seed.ts";
import { setPasswords } from "./set-passwords.ts";
import { ssh } from "./ssh.ts";
import { sshAuthkeyFingerprints } from "./ssh-authkey-fingerprints.ts";
import { sshImportId } from "./ssh-import-id.ts";
import { installHotplug } from "./updates.ts";
import { usersGroups } from "./users.ts";
import { writeFiles } from "./write-files.ts";

/**
 * Every module of cloud-config that is translated, in the order in which their parts stand in the
 * spec; those of passwords and of ssh after `users_groups`, which finds the default user.
 */
export const cloudConfigModules: readonly CloudConfigModule[] = [
  hostname,
  timezone,
  locale,
  keyboard,
  ntp,
  randomSeed,
  usersGroups,
  setPasswords,
  ssh,
  sshImportId,
  packages,
  writeFiles,
  disableEc2Metadata,
  bootcmd,
  runcmd,
  sshAuthkeyFingerprints,
  keysToConsole,
  installHotplug,
  phoneHome,
  finalMessage,
  powerState,
];
