import { hintAt, type Place, place } from "./place.ts";

/** Paths that other distributions read and NixOS does not. */
export const unreadPlaces: readonly Place[] = [
  place("/etc/sudoers\\.d/.*", "use `sudo` of the users"),
  place("/etc/ssh/sshd_config\\.d/.*", "use `sshd`, or `options` with services.openssh.settings"),
  place("/etc/profile\\.d/.*", "use `options` with environment.variables or environment.shellInit"),
  place(
    "/etc/(crontab|anacrontab|cron\\.(d|hourly|daily|weekly|monthly)/.*)|/var/spool/cron/.*",
    "use `units` with a timer, or `options` with services.cron.systemCronJobs",
  ),
  place("/etc/(rc\\.local|rc\\.d/.*|init\\.d/.*|inittab)", "use `units`, or `commands`"),
  place(
    "/(usr/)?lib/systemd/(system|user)/.*",
    "write it below /etc/systemd/system, or use `units`",
  ),
  place("/etc/docker/daemon\\.json", "use `options` with virtualisation.docker.daemon.settings"),
  place("/etc/update-motd\\.d/.*", "use `options` with users.motd"),
  place("/etc/security/limits\\.(conf|d/.*)", "use `options` with security.pam.loginLimits"),
  place("/etc/sysctl\\.conf", "use `options` with boot.kernel.sysctl, or a file in /etc/sysctl.d"),
  place("/etc/modules", "use `options` with boot.kernelModules"),
  place("/etc/skel(/.*)?", "write the files into each home, or use `home`"),
  place("/etc/environment", "use `options` with environment.variables"),
  place("/etc/bash\\.bashrc", "use `options` with environment.interactiveShellInit"),
  place("/etc/timezone", "use `timezone`"),
  place("/etc/default/(locale|keyboard)", "use `locale` and `keyboard`"),
  place(
    "/etc/default/grub(\\.d/.*)?",
    "use `options` with boot.kernelParams or boot.loader.grub.extraConfig",
  ),
  place("/etc/default/docker", "use `options` with virtualisation.docker.daemon.settings"),
  place("/etc/default/ufw", "use `options` with networking.firewall.allowedTCPPorts"),
  place("/etc/logrotate\\.(conf|d/.*)", "use `options` with services.logrotate.settings"),
  place("/etc/rsyslog\\.(conf|d/.*)", "use `options` with services.rsyslogd.extraConfig"),
  place(
    "/etc/(iptables|ufw)/.*",
    "use `options` with networking.firewall.allowedTCPPorts or networking.firewall.extraCommands",
  ),
  place("/etc/nftables\\.conf", "use `options` with networking.nftables.ruleset"),
  place(
    "/etc/fail2ban/(?!(filter|action|jail)\\.d/).*",
    "use `options` with services.fail2ban.jails",
  ),
  place("/etc/nginx/.*", "use `options` with services.nginx.virtualHosts"),
  place("/etc/(apache2|httpd)/.*", "use `options` with services.httpd.virtualHosts"),
  place("/etc/haproxy/.*", "use `options` with services.haproxy.config"),
  place(
    "/etc/(chrony\\.conf|chrony/.*|ntp\\.conf)",
    "use `ntp`, or `options` with services.chrony.extraConfig",
  ),
  place("/etc/dhcpcd\\.conf", "use `network`, or `options` with networking.dhcpcd.extraConfig"),
  place("/etc/ssh/ssh_config\\.d/.*", "use `options` with programs.ssh.extraConfig"),
  place(
    "/etc/cloud/.*",
    "say it in the user-data; the image says what firstlight does with services.firstlight.settings",
  ),
  place(
    "/var/lib/cloud/(scripts/.*|seed/.*)",
    "use `commands`, with `frequency` always, instance or once",
  ),
  place(
    "/(usr/local/share|usr/share|etc)/(ca-certificates|pki/ca-trust/source/anchors)/.*",
    "use `certificates`, or `options` with security.pki.certificateFiles",
  ),
  place(
    "/etc/(netplan|network|NetworkManager/conf\\.d|sysconfig/network-scripts)/.*",
    "use `network`",
  ),
  place("/etc/(apt|yum\\.repos\\.d|apk|pacman\\.d)/.*", "use `packages`"),
  place("/etc/skel/.*", "use `home` of the users, or name each file below their homes"),
  place("/etc/exports", "use `options` with services.nfs.server.exports"),
  place("/etc/redis(/.*|\\.conf)", "use `options` with services.redis.servers"),
  place("/etc/mysql/.*", "use `options` with services.mysql.settings"),
  place("/etc/postgresql/.*", "use `options` with services.postgresql.settings"),
  place("/etc/postfix/.*", "use `options` with services.postfix"),
  place("/etc/prometheus/.*", "use `options` with services.prometheus"),
  place("/etc/grafana/.*", "use `options` with services.grafana.settings"),
  place("/etc/caddy/.*", "use `options` with services.caddy.virtualHosts"),
  place("/etc/samba/.*", "use `options` with services.samba.settings"),
  place("/etc/mosquitto/.*", "use `templates` with mosquitto-gateway, or services.mosquitto"),
  place("/etc/dnsmasq\\.(conf|d/.*)", "use `options` with services.dnsmasq.settings"),
  place("/etc/hosts\\.(allow|deny)", "use `options` with networking.firewall"),
  place("/etc/ld\\.so\\.conf(\\.d/.*)?", "use `options` with programs.nix-ld.libraries"),
  place("/etc/dbus-1/.*", "use `options` with services.dbus.packages"),
  place("/etc/wpa_supplicant/.*", "use `network` with `wifis`"),
  place("/etc/locale\\.gen", "use `locale`, or `options` with i18n.supportedLocales"),
  place("/etc/systemd/system\\.conf\\.d/.*", "use `options` with systemd.settings.Manager"),
];

/** What to use instead of a file at this path, where nothing on NixOS reads it. */
export function hintForUnread(path: string): string | undefined {
  return hintAt(unreadPlaces, path);
}
