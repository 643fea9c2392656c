import type { User } from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import { getOwn, setOwn } from "../own-key.ts";
import { readKeys } from "./authorized-keys.ts";
import { groupName } from "./group-names.ts";
import { readImported } from "./imported-keys.ts";
import { addInactive, type Inactive, readInactive } from "./inactive-days.ts";
import type { CloudConfigModule, ModuleInput } from "./module.ts";
import { readPassword } from "./password.ts";
import { redirectLogins } from "./redirected-login.ts";
import { readShell } from "./shells.ts";
import { readUserEntries, type UserEntry } from "./user-entries.ts";
import { UserLayers } from "./user-layers.ts";

const example = `groups:
  - cache: [alice]
users:
  - default
  - name: alice
    gecos: Alice Example
    groups: [sudo, cache]
    shell: /usr/bin/zsh
    lock_passwd: false
    hashed_passwd: $y$j9T$exampleSalt$exampleHashExampleHashExampleHashExample
    ssh_authorized_keys:
      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExampleExampleExampleExampleEx alice
  - name: backup
    system: true
    no_create_home: true
    shell: /usr/sbin/nologin
`;

/** `users`, `user` and `groups`. */
export const usersGroups: CloudConfigModule = {
  name: "users_groups",
  keys: ["users", "user", "groups"],
  rule:
    "Accounts and groups. The default user exists unless `users` leaves `default` out; it is in " +
    "`wheel` and may use sudo without a password, and `user` changes it. Several entries for one user " +
    "are one user, of each key the first counts. A password is locked unless `lock_passwd: false`, once, also that of an account that is there already; its " +
    "hash becomes a secret; a password in plain text is hashed at once. A shell is the package of the " +
    "program's name. `inactive` is set by a command, once per instance. With `ssh_redirect_user` the keys of the meta-data " +
    "only tell to log in as the default user. A `system` user has, as with `useradd -r` on Debian, a shell and the home `/home/NAME`, " +
    "which is not made; write `shell: /usr/sbin/nologin` for one that nobody enters. The groups `sudo` and `admin` are `wheel`, `adm` is `systemd-journal`, `libvirt` is `libvirtd`.",
  example,
  translate(module) {
    addGroups(module);
    const inactive = readUserEntries(module).flatMap((entry) => addUser(entry, module));
    addInactive(inactive, module);
  },
};

/** `groups`: names, or mappings of a name to its members. */
function addGroups({ config, draft }: ModuleInput): void {
  const input = config.get("groups");
  if (input === undefined) return;
  const items = input.isList() ? input.items() : [input];
  for (const item of items) {
    if (!item.isMapping()) {
      for (const [name, at] of item.names()) addGroup(draft, groupName(name, at), [], at);
      continue;
    }
    for (const [name, members] of item.entries()) {
      const names = members.names().map(([member]) => member);
      addGroup(draft, groupName(name, members), names, members);
    }
  }
}

function addGroup(draft: SpecDraft, name: string, members: readonly string[], at: Input): void {
  draft.spec.groups ??= {};
  const before = getOwn(draft.spec.groups, name)?.members ?? [];
  const all = unique([...before, ...members]);
  setOwn(draft.spec.groups, name, all.length === 0 ? {} : { members: all });
  draft.origin(["groups", name], at);
}

function addUser(
  { name, isDefault, layers, at }: UserEntry,
  module: ModuleInput,
): readonly Inactive[] {
  const { draft } = module;
  const user = draft.user(name);
  if (at !== undefined) draft.origin(["users", name], at);
  if (isDefault) {
    draft.defaultUser = name;
    user.groups = replacesGroups(layers) ? [] : ["wheel"];
    user.sudo = ["ALL=(ALL) NOPASSWD:ALL"];
  }
  for (const layer of layers) layer.get("name")?.mark("translated");
  fillUser(name, user, new UserLayers(layers), module);
  const groups = isDefault
    ? layers.map((layer) => new UserLayers([layer]).get("groups"))
    : [new UserLayers(layers).get("groups")];
  for (const input of groups) readGroups(name, user, input, draft);
  for (const key of ["groups", "authorizedKeys", "sudo", "doas"] as const) {
    if (user[key]?.length === 0) delete user[key];
  }
  return readInactive(name, new UserLayers(layers).get("inactive"));
}

/**
 * What entries under `users` say of the default user's groups comes beside its own; what `user` says
 * stands in their place.
 */
function replacesGroups(layers: readonly Input[]): boolean {
  return layers.some(({ path, value }) => {
    return path[0] === "user" && typeof value === "object" && value !== null && "groups" in value;
  });
}

function readGroups(name: string, user: User, input: Input | undefined, draft: SpecDraft): void {
  if (input === undefined) return;
  if (input.isMapping()) input.mark("translated");
  const names = input.isMapping()
    ? input.entries().map(([group, at]) => [group, at] as const)
    : input.names();
  const groups = names.map(([group, at]) => groupName(group, at));
  user.groups = unique([...(user.groups ?? []), ...groups]);
  draft.origin(["users", name, "groups"], input);
}

function fillUser(name: string, user: User, layers: UserLayers, module: ModuleInput): void {
  const { draft } = module;
  const set = <K extends keyof User>(
    key: K,
    from: string,
    read: (input: Input) => User[K] | undefined,
  ) => {
    const input = layers.get(from);
    const value = input === undefined ? undefined : read(input);
    if (input === undefined || value === undefined) return;
    user[key] = value;
    draft.origin(["users", name, key], input);
  };
  set("description", "gecos", (input) => input.looseText());
  set("uid", "uid", (input) => input.integer());
  set("home", "homedir", (input) => input.text());
  set("primaryGroup", "primary_group", (input) => {
    const group = input.looseText();
    return group === undefined ? undefined : groupName(group, input);
  });
  set("system", "system", (input) => input.boolean());
  set("createHome", "no_create_home", (input) => (input.boolean() === true ? false : undefined));
  set("authorizedKeys", "ssh_authorized_keys", (input) => unique(readKeys(input)));
  set("authorizedKeys", "ssh_import_id", (input) => {
    return unique([...(user.authorizedKeys ?? []), ...readImported(input, module.context)]);
  });
  const rulesOf = (key: "sudo" | "doas") => (input: Input) =>
    readRules(input, ["users", name, key], draft);
  set("sudo", "sudo", rulesOf("sudo"));
  set("doas", "doas", rulesOf("doas"));
  set("shell", "shell", readShell);
  set("expires", "expiredate", (input) => input.looseText());
  redirectLogins(name, user, layers, module);
  readPassword(name, user, layers, module);
  const noGroup = layers.get("no_user_group");
  if (noGroup?.boolean() === true && user.primaryGroup === undefined) user.primaryGroup = "users";
  if (user.system === true) fillSystemUser(name, user);
  nameInexpressible(layers);
}

/** As `useradd -r` of Debian has it, which cloud-init calls; NixOS gives such a user no shell. */
function fillSystemUser(name: string, user: User): void {
  if (name === "root") return; // it is there, and stays as it is
  user.shell ??= "bash";
  if (/^[A-Za-z0-9_.-]+$/.test(name)) user.home ??= `/home/${name}`;
}

const inexpressible: Readonly<Record<string, string>> = {
  selinux_user: "NixOS has no SELinux; drop it",
  snapuser: "NixOS has no snap; drop it",
};

function nameInexpressible(layers: UserLayers): void {
  for (const key of ["no_log_init", "create_groups"]) {
    layers
      .get(key)
      ?.unsupported(
        { code: "cloud-config/no-meaning", message: `users.${key} changes nothing on NixOS` },
        "note",
      );
  }
  for (const [key, hint] of Object.entries(inexpressible)) {
    layers.get(key)?.unsupported({
      code: "cloud-config/unsupported-key",
      message: `users.${key} is not expressible on NixOS`,
      hint,
    });
  }
}

/** Rules of sudo or doas: a text or a list; `false` means none. */
function readRules(input: Input, path: readonly string[], draft: SpecDraft): string[] {
  if (input.value === false) input.mark("translated");
  if (input.value === false) return [];
  const items = input.isList() ? input.items() : [input];
  const rules: string[] = [];
  for (const item of items) {
    const rule = (item.text() ?? "").trim();
    const [first = item, second = first] = item.lines();
    if (rule === "") continue;
    draft.origin([...path, rules.length], second); // a rule has one line: what is wrong is the next
    rules.push(rule);
  }
  return rules;
}

function unique(items: readonly string[]): string[] {
  return [...new Set(items)];
}
