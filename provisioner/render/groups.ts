import { attrs, bind, int, list, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign, type Concern, winning } from "./assignment.ts";

/** Groups that every NixOS has (nixos/modules/config/users-groups.nix, and systemd's and D-Bus's own). */
const systemGroups = new Set([
  ...["root", "wheel", "users", "adm", "kmem", "tty", "messagebus", "disk", "audio", "floppy"],
  ...["uucp", "lp", "cdrom", "tape", "video", "dialout", "nogroup", "keys", "utmp", "nixbld"],
  ...["systemd-journal", "kvm", "render", "sgx", "shadow", "input"],
]);

/** Groups that are asked for by name, those of their users, and one for each user without a main group. */
export function renderGroups({ spec, base }: Concern): readonly Assignment[] {
  const users = Object.entries(spec.users ?? {});
  const wished = Object.entries(spec.groups ?? {});
  const named = new Set(wished.map(([name]) => name));
  const own = users.flatMap(([name, user]) =>
    name === "root" ? [] : [{ group: user.primaryGroup ?? name, user: name }],
  );
  const further = users.flatMap(([name, user]) =>
    (user.groups ?? []).map((group) => ({ group, user: name })),
  );
  const missing = new Map(
    [...own, ...further]
      .filter(({ group }) => !named.has(group) && !systemGroups.has(group))
      .map(({ group, user }) => [group, user]),
  );
  return [
    ...[...missing].map(([name, user]) =>
      assign(["users", "groups", name], attrs([]), ["users", user]),
    ),
    ...wished.map(([name, { gid, members = [] }]) => {
      const entries = [
        ...(gid === undefined ? [] : [bind("gid", winning(base, int(gid)))]),
        ...(members.length === 0 ? [] : [bind("members", list(members.map(str)))]),
      ];
      return assign(["users", "groups", name], attrs(entries), ["groups", name]);
    }),
  ];
}
