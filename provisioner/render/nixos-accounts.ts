/**
 * Groups that every NixOS has, by their gid where that is fixed (nixos/modules/misc/ids.nix,
 * nixos/modules/config/users-groups.nix, and systemd's and D-Bus's own).
 */
export const nixosGroups: ReadonlyMap<string, number | null> = new Map([
  ["root", 0],
  ["wheel", 1],
  ["kmem", 2],
  ["tty", 3],
  ["messagebus", 4],
  ["disk", 6],
  ["audio", 17],
  ["floppy", 18],
  ["uucp", 19],
  ["lp", 20],
  ["cdrom", 24],
  ["tape", 25],
  ["video", 26],
  ["dialout", 27],
  ["utmp", 29],
  ["adm", 55],
  ["systemd-journal", 62],
  ["keys", 96],
  ["users", 100],
  ["systemd-network", 152],
  ["systemd-resolve", 153],
  ["systemd-timesync", 154],
  ["input", 174],
  ["kvm", 302],
  ["render", 303],
  ["sgx", 304],
  ["shadow", 318],
  ["nixbld", 30_000],
  ["nogroup", 65_534],
]);

/** Builders of Nix, `nixbld1` and on. */
const builders = Array.from({ length: 32 }, (_, index): [string, number] => [
  `nixbld${index + 1}`,
  30_001 + index,
]);

/**
 * Users that NixOS declares itself, by their uid where that is fixed and they are on every system;
 * root, of whom a spec may say more, is not among those it leaves alone.
 */
export const nixosUsers: ReadonlyMap<string, number | null> = new Map<string, number | null>([
  ["root", 0],
  ["messagebus", 4],
  ["systemd-coredump", 151],
  ["systemd-network", 152],
  ["systemd-resolve", 153],
  ["systemd-timesync", 154],
  ["systemd-oom", null],
  ["systemd-journal-gateway", null],
  ["systemd-journal-remote", null],
  ["nobody", 65_534],
  ["sshd", null],
  ["nscd", null],
  ["polkituser", null],
  ["rtkit", null],
  ["dhcpcd", null],
  ...builders,
]);

/** Whether NixOS declares this account, so that no other declaration may stand beside it. */
export function isNixosUser(name: string): boolean {
  return name !== "root" && nixosUsers.has(name);
}
