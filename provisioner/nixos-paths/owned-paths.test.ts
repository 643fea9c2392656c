import t from "tap";
import { loadOptionList } from "#provisioner/nixos-options/option-list.ts";
import { findOption, placeOf } from "#provisioner/nixos-options/option-tree.ts";
import { tryRender } from "#provisioner/render/try-render.ts";
import { hintForOwned, ownedPlaces } from "./owned-paths.ts";
import { unreadPlaces } from "./unread-paths.ts";

/** Paths that NixOS writes, each with a word of what to use instead. */
const owned: Readonly<Record<string, string>> = {
  "/etc/login.defs": "security.loginDefs.settings",
  "/etc/services": "number",
  "/etc/protocols": "number",
  "/etc/rpc": "number",
  "/etc/host.conf": "leave it out",
  "/etc/shells": "environment.shells",
  "/etc/systemd/journald.conf": "/etc/systemd/journald.conf.d/50-own.conf",
  "/etc/systemd/logind.conf": "services.logind.settings.Login",
  "/etc/systemd/timesyncd.conf": "services.timesyncd.extraConfig",
  "/etc/systemd/resolved.conf": "services.resolved.extraConfig",
  "/etc/systemd/networkd.conf": "systemd.network.config",
  "/etc/systemd/system.conf": "systemd.settings.Manager",
  "/etc/systemd/user.conf": "systemd.user.extraConfig",
  "/etc/systemd/sleep.conf": "systemd.sleep.settings.Sleep",
  "/etc/systemd/coredump.conf": "systemd.coredump.extraConfig",
  "/etc/systemd/oomd.conf": "systemd.oomd.extraConfig",
  "/etc/ssh/ssh_config": "programs.ssh.extraConfig",
  "/etc/ssh/sshd_config": "services.openssh.settings",
  "/etc/ssh/ssh_known_hosts": "programs.ssh.knownHosts",
  "/etc/ssh/moduli": "services.openssh.moduliFile",
  "/etc/sysctl.d/60-nixos.conf": "boot.kernel.sysctl",
  "/etc/sysctl.d/50-default.conf": "boot.kernel.sysctl",
  "/etc/modules-load.d/nixos.conf": "boot.kernelModules",
  "/etc/modprobe.d/nixos.conf": "boot.extraModprobeConfig",
  "/etc/nsswitch.conf": "options",
  "/etc/hosts": "hosts",
  "/etc/fstab": "mounts",
  "/etc/passwd": "users",
  "/etc/os-release": "options",
  "/etc/locale.conf": "locale",
  "/etc/vconsole.conf": "keyboard",
  "/etc/pam.d/sshd": "security.pam.services",
  "/etc/pam/environment": "environment.sessionVariables",
  "/etc/profile": "environment.shellInit",
  "/etc/bash_logout": "environment.shellInit",
  "/etc/zprofile": "environment.shellInit",
  "/etc/nix/nix.conf": "nix.settings",
  "/etc/nix/registry.json": "nix.registry",
  "/etc/sudoers": "sudo",
  "/etc/resolv.conf": "resolver",
  "/etc/resolvconf.conf": "networking.resolvconf.extraConfig",
  "/etc/nscd.conf": "services.nscd.config",
  "/etc/fuse.conf": "programs.fuse.userAllowOther",
  "/etc/ssl/certs/ca-certificates.crt": "certificates",
  "/etc/polkit-1/rules.d/10-nixos.rules": "security.polkit.extraConfig",
  "/etc/udev/udev.conf": "services.udev",
  "/etc/default/useradd": "users",
  "/etc/zoneinfo/UTC": "packages",
  "/bin/sh": "another path",
  "/usr/bin/env": "another path",
};

for (const [path, instead] of Object.entries(owned)) {
  t.test(`${path} is NixOS's own`, async (t) => {
    const { findings } = tryRender({ files: [{ path, content: "x" }] });
    t.match(findings, [{ level: "warning", code: "render/owned-path", path: "files.0" }]);
    t.ok(findings[0]?.hint?.includes(instead), findings[0]?.hint ?? "");
  });
}

/** Paths that nothing reads, each with a word of what to use instead. */
const unread: Readonly<Record<string, string>> = {
  "/etc/docker/daemon.json": "virtualisation.docker.daemon.settings",
  "/etc/rc.local": "commands",
  "/etc/init.d/own": "units",
  "/etc/crontab": "services.cron.systemCronJobs",
  "/etc/cron.daily/own": "units",
  "/var/spool/cron/root": "units",
  "/var/spool/cron/crontabs/root": "units",
  "/etc/update-motd.d/10-own": "users.motd",
  "/etc/security/limits.conf": "security.pam.loginLimits",
  "/etc/security/limits.d/own.conf": "security.pam.loginLimits",
  "/etc/sysctl.conf": "boot.kernel.sysctl",
  "/etc/modules": "boot.kernelModules",
  "/etc/environment": "environment.variables",
  "/etc/bash.bashrc": "environment.interactiveShellInit",
  "/etc/timezone": "timezone",
  "/etc/default/grub": "boot.kernelParams",
  "/etc/default/locale": "locale",
  "/etc/logrotate.d/own": "services.logrotate.settings",
  "/etc/rsyslog.d/own.conf": "services.rsyslogd.extraConfig",
  "/etc/iptables/rules.v4": "networking.firewall.allowedTCPPorts",
  "/etc/nftables.conf": "networking.nftables.ruleset",
  "/etc/fail2ban/jail.local": "services.fail2ban.jails",
  "/etc/nginx/conf.d/own.conf": "services.nginx.virtualHosts",
  "/etc/apache2/apache2.conf": "services.httpd.virtualHosts",
  "/etc/haproxy/haproxy.cfg": "services.haproxy.config",
  "/etc/chrony/chrony.conf": "ntp",
  "/etc/dhcpcd.conf": "networking.dhcpcd.extraConfig",
  "/etc/ssh/ssh_config.d/own.conf": "programs.ssh.extraConfig",
  "/etc/cloud/cloud.cfg.d/own.cfg": "user-data",
  "/var/lib/cloud/scripts/per-boot/own.sh": "commands",
  "/lib/systemd/system/own.service": "units",
  "/usr/lib/systemd/system/own.service": "units",
  "/usr/local/share/ca-certificates/own.crt": "security.pki.certificateFiles",
  "/etc/pki/ca-trust/source/anchors/own.pem": "security.pki.certificateFiles",
};

for (const [path, instead] of Object.entries(unread)) {
  t.test(`${path} is read by nothing`, async (t) => {
    const { findings } = tryRender({ files: [{ path, content: "x" }] });
    t.match(findings, [{ level: "warning", code: "render/unread-path", path: "files.0" }]);
    t.ok(findings[0]?.hint?.includes(instead), findings[0]?.hint ?? "");
  });
}

t.test("what programs read beside NixOS's own files is written as it is", async (t) => {
  for (const path of [
    "/etc/systemd/journald.conf.d/50-own.conf",
    "/etc/sysctl.d/90-own.conf",
    "/etc/modules-load.d/own.conf",
    "/etc/modprobe.d/own.conf",
    "/etc/polkit-1/rules.d/50-own.rules",
    "/etc/bashrc.local",
    "/etc/issue",
    "/etc/inputrc",
    "/etc/fail2ban/filter.d/own.conf",
    "/etc/default/own",
    "/etc/modules.own",
  ]) {
    t.equal(hintForOwned(path), undefined, path);
    t.same(tryRender({ files: [{ path, content: "x" }] }).findings, [], path);
  }
});

const list = loadOptionList();
const skip = list === undefined ? "the option list is not on this machine (../shared/data)" : false;

t.test("the options that hints name are options of NixOS", { skip }, async (t) => {
  if (list === undefined) return;
  const start = placeOf(list);
  for (const { hint } of [...ownedPlaces, ...unreadPlaces]) {
    for (const [name] of hint.matchAll(
      /(?<![\w/.-])(?!local\.nix|services\.firstlight)[a-z]+(?:\.[A-Za-z][\w-]*)+/g,
    )) {
      t.notOk("depth" in findOption(start, name.split(".")), name);
    }
  }
});
