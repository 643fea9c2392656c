import { isSystemDirectory } from "./owned-paths.ts";

/**
 * Directories that other distributions bring (Filesystem Hierarchy Standard 3.0, and Debian's base-files, cron
 * and sudo), and NixOS often does not. cloud-init finds them there, so that they are never given to anybody.
 */
const common: ReadonlySet<string> = new Set(
  `/dev /etc/cron.d /etc/default /etc/init.d /etc/logrotate.d /etc/opt /etc/profile.d /etc/security /etc/skel
   /etc/sudoers.d /lib /lib32 /lib64 /libx32 /media /mnt /nix /opt /proc /sbin /srv /sys /usr/games /usr/include
   /usr/lib /usr/lib32 /usr/lib64 /usr/libexec /usr/libx32 /usr/local /usr/local/bin /usr/local/etc /usr/local/games
   /usr/local/include /usr/local/lib /usr/local/libexec /usr/local/man /usr/local/sbin /usr/local/share
   /usr/local/src /usr/sbin /usr/share /usr/share/dict /usr/share/doc /usr/share/info /usr/share/locale
   /usr/share/man /usr/share/misc /usr/src /var/account /var/backups /var/crash /var/games /var/lib/misc
   /var/local /var/lock /var/mail /var/opt /var/spool/cron /var/spool/mail /var/yp`.split(/\s+/),
);

/** The innermost directory on the way to a file that is the system's, whoever has files below it. */
export function systemDirectoryOf(path: string): string {
  const parts = path.split("/").slice(1, -1);
  const known = parts.findLastIndex((_, at) => isSystems(pathTo(parts, at)));
  return pathTo(parts, known);
}

function pathTo(parts: readonly string[], last: number): string {
  return `/${parts.slice(0, last + 1).join("/")}`;
}

function isSystems(path: string): boolean {
  return common.has(path) || isSystemDirectory(path);
}
