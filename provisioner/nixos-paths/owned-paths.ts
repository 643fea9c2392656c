import { hintAt, type Place, place } from "./place.ts";

/** Paths that NixOS makes itself, each with the way to say the same. */
export const ownedPlaces: readonly Place[] = [
  place("/etc/(passwd|shadow|group|gshadow|subuid|subgid)-?", "use `users` and `groups`"),
  place("/etc/(hostname|machine-id)", "use `hostname`; the machine-id is made at the first boot"),
  place("/etc/hosts", "use `hosts`"),
  place("/etc/resolv\\.conf", "use `resolver`"),
  place("/etc/localtime", "use `timezone`"),
  place("/etc/locale\\.conf", "use `locale`"),
  place("/etc/vconsole\\.conf", "use `keyboard`"),
  place("/etc/fstab", "use `mounts`"),
  place("/etc/sudoers", "use `sudo` of the users"),
  place("/etc/ssh/sshd_config", "use `sshd`, or `options` with services.openssh.settings"),
  place("/etc/ssh/ssh_config", "use `options` with programs.ssh.extraConfig"),
  place("/etc/ssh/ssh_known_hosts", "use `options` with programs.ssh.knownHosts"),
  place("/etc/ssh/moduli", "use `options` with services.openssh.moduliFile"),
  place("/etc/ssh/authorized_keys\\.d/.*", "use `authorizedKeys` of the users"),
  place("/etc/nix/nix\\.conf", "use `options` with nix.settings"),
  place("/etc/nix/registry\\.json", "use `options` with nix.registry"),
  place("/etc/nix/machines", "use `options` with nix.buildMachines"),
  place("/etc/nixos(/.*)?", "write the owner's part of the configuration to local.nix by hand"),
  place(
    "/etc/(profile|bashrc|bash_logout|zshrc|zshenv|zprofile|set-environment)",
    "use `options` with environment.shellInit or environment.variables",
  ),
  place("/etc/(nsswitch\\.conf|os-release|lsb-release|NIXOS|mtab)", "use `options`"),
  place("/etc/pam\\.d/.*", "use `options` with security.pam.services"),
  place("/etc/udev/rules\\.d/.*", "use `options` with services.udev.extraRules"),
  place("/etc/tmpfiles\\.d/.*", "use `options` with systemd.tmpfiles.rules"),
  place("/etc/systemd/(system|user)/.*", "use `units`"),
  ...Object.entries({
    journald: "services.journald.extraConfig",
    logind: "services.logind.settings.Login",
    timesyncd: "services.timesyncd.extraConfig",
    resolved: "services.resolved.extraConfig",
    networkd: "systemd.network.config",
    system: "systemd.settings.Manager",
    user: "systemd.user.extraConfig",
    sleep: "systemd.sleep.settings.Sleep",
    coredump: "systemd.coredump.extraConfig",
    oomd: "systemd.oomd.extraConfig",
  }).map(([name, option]) => {
    const rest = `/etc/systemd/${name}.conf.d/50-own.conf`;
    return place(`/etc/systemd/${name}\\.conf`, `write ${rest}, or use \`options\` with ${option}`);
  }),
  place("/etc/login\\.defs", "use `options` with security.loginDefs.settings"),
  place("/etc/default/useradd", "use `users`"),
  place("/etc/(services|protocols|rpc)", "write the number of the port or protocol instead"),
  place("/etc/host\\.conf", "leave it out; glibc reads `multi on` there"),
  place("/etc/shells", "use `options` with environment.shells"),
  place(
    "/etc/sysctl\\.d/(50-default|50-coredump|60-nixos)\\.conf",
    "write another name there, or use `options` with boot.kernel.sysctl",
  ),
  place(
    "/etc/modules-load\\.d/nixos\\.conf",
    "write another name there, or use `options` with boot.kernelModules",
  ),
  place(
    "/etc/modprobe\\.d/(nixos|firmware|systemd|debian|ubuntu)\\.conf",
    "write another name there, or use `options` with boot.extraModprobeConfig",
  ),
  place(
    "/etc/polkit-1/rules\\.d/10-nixos\\.rules",
    "use `options` with security.polkit.extraConfig",
  ),
  place("/etc/pam/environment", "use `options` with environment.sessionVariables"),
  place(
    "/etc/(ssl/certs/ca-(certificates|bundle)|pki/tls/certs/ca-bundle)\\.crt",
    "use `certificates`, or `options` with security.pki.certificateFiles",
  ),
  place("/etc/resolvconf\\.conf", "use `options` with networking.resolvconf.extraConfig"),
  place("/etc/nscd\\.conf", "use `options` with services.nscd.config"),
  place("/etc/fuse\\.conf", "use `options` with programs.fuse.userAllowOther"),
  place("/etc/doas\\.conf", "use `doas` of the users"),
  place("/etc/udev/(hwdb\\.bin|udev\\.conf)", "use `options` with services.udev.extraHwdb"),
  place("/etc/(zoneinfo|terminfo|kbd)(/.*)?", "leave it out; it comes from packages"),
  place("/(bin/sh|usr/bin/env)", "choose another path"),
  place("/etc/firstlight(/.*)?", "it belongs to firstlight; choose another path"),
  place("/var/lib/firstlight(/.*)?", "it belongs to firstlight; choose another path"),
  place("/etc/static(/.*)?", "choose a path below /etc"),
  place("/(nix|proc|sys|dev)(/.*)?", "choose another path"),
  place(
    "/run/(current-system|booted-system|systemd|wrappers|firstlight)(/.*)?",
    "choose another path",
  ),
];

/** Directories of every NixOS, where no file can stand. */
const directories: ReadonlySet<string> = new Set(
  `/ /bin /boot /etc /etc/dbus-1 /etc/fonts /etc/modprobe.d /etc/nix /etc/pam.d /etc/profiles /etc/ssh
   /etc/ssh/authorized_keys.d /etc/ssl /etc/ssl/certs /etc/sysctl.d /etc/systemd /etc/systemd/network
   /etc/systemd/system /etc/systemd/user /etc/terminfo /etc/tmpfiles.d /etc/udev /etc/udev/rules.d /etc/X11
   /etc/xdg /home /root /run /tmp /usr /usr/bin /var /var/cache /var/empty /var/lib /var/log /var/run
   /var/spool /var/tmp`.split(/\s+/),
);

/** Whether every NixOS has a directory at this path. */
export function isSystemDirectory(path: string): boolean {
  return directories.has(path.length > 1 ? path.replace(/\/$/, "") : path);
}

/** What says the same as a file at this path, where NixOS makes that file itself. */
export function hintForOwned(path: string): string | undefined {
  return hintAt(ownedPlaces, path);
}
