import type { User } from "#generated/provisioner/spec/v1.ts";
import {
  bool,
  call,
  int,
  interpolated,
  list,
  type NixExpr,
  ref,
  str,
} from "#provisioner/nix-language/tree.ts";
import { checkIds } from "./account-ids.ts";
import { type Assignment, addFinding, assign, type Concern, credential } from "./assignment.ts";
import { isNixosUser } from "./nixos-accounts.ts";
import { passwordFile } from "./passwords.ts";
import { checked, checkedAll, textRules } from "./text-rules.ts";

/** Accounts, and the shells they need. */
export function renderUsers(concern: Concern): readonly Assignment[] {
  const all = Object.entries(concern.spec.users ?? {});
  const users = all.filter(([name]) => !isNixosUser(name));
  for (const [name] of all) if (isNixosUser(name)) leaveToNixos(concern, name);
  checkIds(concern);
  const shells = new Set(users.map(([, user]) => user.shell));
  return [
    ...renderMutableUsers(concern),
    ...users.flatMap(([name, user]) => renderUser(concern, name, user)),
    ...(["zsh", "fish"] as const)
      .filter((shell) => shells.has(shell))
      .map((shell) => assign(["programs", shell, "enable"], bool(true), ["users"])),
  ];
}

/** What NixOS says of an account of its own and what another says would contradict each other. */
function leaveToNixos(concern: Concern, name: string): void {
  const message = "NixOS declares this account itself, and it is left as it is";
  const hint = "choose another name, or set what is missing under `firstlight: options`";
  addFinding(concern, ["users", name], "warning", "render/nixos-account", message, hint);
}

/** Decided with the base; `null` leaves it to the image's own configuration. */
function renderMutableUsers(concern: Concern): readonly Assignment[] {
  const { spec, base } = concern;
  const decided = base.mutableUsers;
  if (spec.mutableUsers !== undefined && spec.mutableUsers !== (decided ?? true)) {
    addFinding(
      concern,
      ["mutableUsers"],
      "note",
      "render/mutable-users",
      `decided at the first boot of this instance${decided === null ? " by the image" : `: ${decided}`}`,
      "reset the machine to decide anew",
    );
  }
  if (decided === null) return [];
  const value = base.kind === "adopted" ? override(bool(decided)) : bool(decided);
  return [assign(["users", "mutableUsers"], value, ["mutableUsers"])];
}

/** NixOS lets nobody log in as a system user that has no shell of its own. */
function warnOfNoShell(concern: Concern, name: string, user: User): void {
  const { system, shell, authorizedKeys = [], passwordHash, locked } = user;
  const logsIn = authorizedKeys.length > 0 || (passwordHash !== undefined && locked !== true);
  if (name === "root" || system !== true || shell !== undefined || !logsIn) return;
  const message = "a system user without a shell has keys or a password, and cannot log in";
  const hint = "give it a `shell`, or take `system` away";
  addFinding(concern, ["users", name], "warning", "render/no-shell", message, hint);
}

/** What NixOS fixes of root. */
function tellOfRoot(concern: Concern, { uid, primaryGroup, system }: User): void {
  for (const [key, value] of Object.entries({ uid, primaryGroup, system })) {
    if (value === undefined || value === 0) continue;
    const message = "it is what it is for root, and is left out";
    const hint = "remove the key";
    addFinding(concern, ["users", "root", key], "warning", "render/nixos-account", message, hint);
  }
}

function renderUser(concern: Concern, name: string, user: User): readonly Assignment[] {
  warnOfNoShell(concern, name, user);
  const from = ["users", name];
  const path = ["users", "users", name];
  const isRoot = name === "root";
  if (isRoot) tellOfRoot(concern, user);
  // NixOS describes root itself: there, too, the person's word wins.
  const wins = isRoot || concern.base.kind === "adopted";
  const set = (key: string, value: NixExpr | undefined, field = key): readonly Assignment[] =>
    value === undefined
      ? []
      : [assign([...path, key], wins ? override(value) : value, [...from, field])];
  const field = (key: "description" | "home") =>
    text(checked(concern, [...from, key], user[key], textRules.passwdField));
  const keys = checkedAll(
    concern,
    [...from, "authorizedKeys"],
    user.authorizedKeys,
    textRules.line,
  );
  const kind = user.system === true ? "isSystemUser" : "isNormalUser";
  return [
    ...(isRoot ? [] : [assign([...path, kind], bool(true), from)]),
    ...(isRoot ? [] : set("uid", user.uid === undefined ? undefined : int(user.uid))),
    ...set("description", field("description")),
    ...(isRoot ? [] : set("group", text(user.primaryGroup ?? name), "primaryGroup")),
    ...listed([...path, "extraGroups"], user.groups, [...from, "groups"]),
    ...set("home", field("home")),
    ...set("createHome", user.createHome === undefined ? undefined : bool(user.createHome)),
    ...set("shell", user.shell === undefined ? undefined : shellPackage(user.shell)),
    ...set("expires", text(user.expires)),
    ...set("hashedPassword", user.locked === true ? str("!") : undefined, "locked"),
    ...set("hashedPasswordFile", passwordOf(concern, user), "passwordHash"),
    ...listed([...path, "openssh", "authorizedKeys", "keys"], keys, [...from, "authorizedKeys"]),
  ];
}

/** Where the hash of an account that is not locked lies before users are made. */
function passwordOf(concern: Concern, { locked, passwordHash }: User): NixExpr | undefined {
  if (locked === true || passwordHash === undefined) return undefined;
  return str(passwordFile(credential(concern, passwordHash.secretRef)));
}

function shellPackage(shell: NonNullable<User["shell"]>): NixExpr {
  if (shell === "nologin") return interpolated(ref("pkgs", "shadow"), "/bin/nologin");
  return ref("pkgs", shell === "bash" ? "bashInteractive" : shell);
}

function listed(
  path: readonly string[],
  items: readonly string[] | undefined,
  from: readonly string[],
): readonly Assignment[] {
  return items === undefined || items.length === 0
    ? []
    : [assign(path, list(items.map(str)), from)];
}

function text(value: string | undefined): NixExpr | undefined {
  return value === undefined ? undefined : str(value);
}

function override(value: NixExpr): NixExpr {
  return call(ref("lib", "mkOverride"), int(90), value);
}
