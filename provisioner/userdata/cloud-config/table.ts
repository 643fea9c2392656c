import { ansible } from "./ansible.ts";
import { apkConfigure } from "./apk-configure.ts";
import { aptConfigure } from "./apt-configure.ts";
import { aptPipelining } from "./apt-pipelining.ts";
import { bootcmd } from "./bootcmd.ts";
import { byobu } from "./byobu.ts";
import { caCerts } from "./ca-certs.ts";
import { chef } from "./chef.ts";
import { disableEc2Metadata } from "./disable-ec2-metadata.ts";
import { diskSetup } from "./disk-setup.ts";
import { fan } from "./fan.ts";
import { finalMessage } from "./final-message.ts";
import { growpart } from "./growpart.ts";
import { grubDpkg } from "./grub-dpkg.ts";
import { hostname } from "./hostname.ts";
import { keyboard } from "./keyboard.ts";
import { keysToConsole } from "./keys-to-console.ts";
import { landscape } from "./landscape.ts";
import { locale } from "./locale.ts";
import { lxd } from "./lxd.ts";
import { mcollective } from "./mcollective.ts";
import type { CloudConfigModule } from "./module.ts";
import { mounts } from "./mounts.ts";
import { ntp } from "./ntp.ts";
import { packages } from "./packages.ts";
import { phoneHome } from "./phone-home.ts";
import { powerState } from "./power-state.ts";
import { puppet } from "./puppet.ts";
import { randomSeed } from "./random-seed.ts";
import { raspberryPi } from "./raspberry-pi.ts";
import { reporting } from "./reporting.ts";
import { resetRmc } from "./reset-rmc.ts";
import { resizefs } from "./resizefs.ts";
import { resolvConf } from "./resolv-conf.ts";
import { rhSubscription } from "./rh-subscription.ts";
import { rsyslog } from "./rsyslog.ts";
import { runcmd } from "./runcmd.ts";
import { saltMinion } from "./salt-minion.ts";
import { scriptsPerBoot } from "./scripts-per-boot.ts";
import { scriptsPerInstance } from "./scripts-per-instance.ts";
import { scriptsPerOnce } from "./scripts-per-once.ts";
import { scriptsUser } from "./scripts-user.ts";
import { scriptsVendor } from "./scripts-vendor.ts";
import { setPasswords } from "./set-passwords.ts";
import { snap } from "./snap.ts";
import { spacewalk } from "./spacewalk.ts";
import { ssh } from "./ssh.ts";
import { sshAuthkeyFingerprints } from "./ssh-authkey-fingerprints.ts";
import { sshImportId } from "./ssh-import-id.ts";
import { timezone } from "./timezone.ts";
import { ubuntuAutoinstall } from "./ubuntu-autoinstall.ts";
import { ubuntuDrivers } from "./ubuntu-drivers.ts";
import { ubuntuPro } from "./ubuntu-pro.ts";
import { updateEtcHosts } from "./update-etc-hosts.ts";
import { updateHostname } from "./update-hostname.ts";
import { installHotplug } from "./updates.ts";
import { usersGroups } from "./users.ts";
import { wireguard } from "./wireguard.ts";
import { writeFiles } from "./write-files.ts";
import { writeFilesDeferred } from "./write-files-deferred.ts";
import { yumAddRepo } from "./yum-add-repo.ts";
import { zypperAddRepo } from "./zypper-add-repo.ts";

/**
 * Every module of cloud-config, in the order in which their parts stand in the spec; those of passwords and
 * of ssh after `users_groups`, which finds the default user, `disk_setup` after `mounts`, which wait for it, and
 * what brings packages and scripts of its own after those of the document.
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
  mounts,
  diskSetup,
  growpart,
  resizefs,
  updateEtcHosts,
  resolvConf,
  caCerts,
  rsyslog,
  wireguard,
  ansible,
  puppet,
  saltMinion,
  lxd,
  ubuntuDrivers,
  raspberryPi,
  sshAuthkeyFingerprints,
  keysToConsole,
  installHotplug,
  phoneHome,
  finalMessage,
  powerState,
  scriptsUser,
  scriptsVendor,
  scriptsPerBoot,
  scriptsPerInstance,
  scriptsPerOnce,
  aptConfigure,
  aptPipelining,
  apkConfigure,
  yumAddRepo,
  zypperAddRepo,
  snap,
  ubuntuPro,
  ubuntuAutoinstall,
  landscape,
  rhSubscription,
  spacewalk,
  chef,
  mcollective,
  reporting,
  byobu,
  fan,
  grubDpkg,
  resetRmc,
  updateHostname,
  writeFilesDeferred,
];
