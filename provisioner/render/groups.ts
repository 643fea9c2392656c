import { attrs, bind, int, list, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign, type Concern, winning } from "./assignment.ts";
import { isNixosUser, nixosGroups } from "./nixos-accounts.ts";
import { warnOfUndeclared } from "./undeclared.ts";

const notMade = "being a member of a group makes no user";

/** Groups that are asked for by name, those of their users, and one for each user without a main group. */
export function renderGroups(concern: Concern): readonly Assignment[] {
  const { spec, base } = concern;
  const users = Object.entries(spec.users ?? {});
  const wished = Object.entries(spec.groups ?? {});
  const named = new Set(wished.map(([name]) => name));
  const own = users.flatMap(([name, user]) =>
    name === "root" || isNixosUser(name) ? [] : [{ group: user.primaryGroup ?? name, user: name }],
  );
  const further = users.flatMap(([name, user]) =>
    isNixosUser(name) ? [] : (user.groups ?? []).map((group) => ({ group, user: name })),
  );
  const missing = new Map(
    [...own, ...further]
      .filter(({ group }) => !named.has(group) && !nixosGroups.has(group))
      .map(({ group, user }) => [group, user]),
  );
  return [
    ...[...missing].map(([name, user]) =>
      assign(["users", "groups", name], attrs([]), ["users", user]),
    ),
    ...wished.map(([name, { gid, members = [] }]) => {
      for (const [index, member] of members.entries()) {
        const at = ["groups", name, "members", String(index)];
        warnOfUndeclared(concern, { kind: "user", name: member, at, otherwise: notMade });
      }
      const entries = [
        ...(gid === undefined ? [] : [bind("gid", winning(base, int(gid)))]),
        ...(members.length === 0 ? [] : [bind("members", list(members.map(str)))]),
      ];
      return assign(["users", "groups", name], attrs(entries), ["groups", name]);
    }),
  ];
}
