import type { User } from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import type { CloudConfigModule, ModuleInput } from "./module.ts";
import { readShell } from "./shells.ts";

/**
 * `users`, `user`, `ssh_authorized_keys`. As in cloud-init the default user exists unless `users`
 * is given without `default`, gets the keys of the document and of the meta-data, and may use sudo
 * without a password; `user` changes it.
 */
export const usersGroups: CloudConfigModule = {
  name: "users_groups",
  keys: ["users", "user", "ssh_authorized_keys", "allow_public_ssh_keys"],
  translate(module) {
    const { config, draft, context } = module;
    const list = config.get("users");
    const entries = list === undefined ? [] : userEntries(list);
    const hasDefault = list === undefined || entries.some((entry) => entry.name === "default");
    if (hasDefault) addDefaultUser(module);
    for (const entry of entries) {
      if (entry.name === "default") entry.input.mark("translated");
      else addUser(entry, draft);
    }
    if (hasDefault) return;
    config.get("user")?.unsupported({
      code: "cloud-config/no-default-user",
      message: "`user` changes the default user, but `users` does not list `default`",
      hint: "add `- default` to `users`",
    });
    const keys = config.get("ssh_authorized_keys");
    const given = keys?.texts().length ?? 0;
    if (given + context.publicKeys.length > 0) {
      (keys ?? list ?? config).add("warning", {
        code: "cloud-config/no-default-user",
        message: `${given + context.publicKeys.length} ssh keys were given to nobody: \`users\` does not list \`default\``,
        hint: "add `- default` to `users`, or put the keys under a user",
      });
    }
  },
};

/** `groups`: names, or mappings of a name to its members. */
export const groups: CloudConfigModule = {
  name: "users_groups",
  keys: ["groups"],
  translate({ config, draft }) {
    const input = config.get("groups");
    if (input === undefined) return;
    const items = input.isMapping()
      ? [input]
      : typeof input.value === "string"
        ? [input]
        : input.items();
    for (const item of items) {
      if (!item.isMapping()) {
        for (const name of item.names()) addGroup(draft, name, [], item);
        continue;
      }
      for (const [name, members] of item.entries()) {
        addGroup(draft, name, members.value === null ? [] : members.names(), members);
        members.mark("translated");
      }
    }
  },
};

interface UserEntry {
  readonly name: string;
  readonly input: Input;
}

/** A list of names and mappings, one text with commas, or a mapping by name: all of them are taken. */
function userEntries(list: Input): readonly UserEntry[] {
  if (list.isMapping()) return list.entries().map(([name, input]) => ({ name, input }));
  const items = typeof list.value === "string" ? [list] : list.items();
  return items.flatMap((input): readonly UserEntry[] => {
    if (!input.isMapping()) return input.names().map((name) => ({ name, input }));
    const name = input.get("name")?.looseText();
    if (name !== undefined) return [{ name, input }];
    input.unsupported(
      { code: "user-data/wrong-type", message: "expected a user with `name`" },
      "error",
    );
    return [];
  });
}

function addDefaultUser({ config, draft, context }: ModuleInput): void {
  const change = config.get("user");
  const name =
    (change?.isMapping() ? change.get("name") : change)?.looseText() ?? context.defaultUser;
  const user: User = { groups: ["wheel"], sudo: ["ALL=(ALL) NOPASSWD:ALL"], locked: true };
  const keys = config.get("ssh_authorized_keys");
  const wantsMeta = config.get("allow_public_ssh_keys")?.boolean() ?? true;
  user.authorizedKeys = unique([
    ...(wantsMeta ? context.publicKeys : []),
    ...(keys?.texts() ?? []),
  ]);
  if (user.authorizedKeys.length === 0) delete user.authorizedKeys;
  if (keys !== undefined) draft.origin(["users", name, "authorizedKeys"], keys);
  const users = (draft.spec.users ??= {});
  users[name] = user;
  if (change?.isMapping()) fillUser(name, user, change, draft);
}

function addUser({ name, input }: UserEntry, draft: SpecDraft): void {
  const users = (draft.spec.users ??= {});
  const user: User = Object.hasOwn(users, name) ? (users[name] ?? {}) : {};
  Object.defineProperty(users, name, {
    value: user,
    enumerable: true,
    writable: true,
    configurable: true,
  });
  draft.origin(["users", name], input);
  user.locked ??= true;
  if (input.isMapping()) fillUser(name, user, input, draft);
}

function fillUser(name: string, user: User, input: Input, draft: SpecDraft): void {
  const set = <K extends keyof User>(
    key: K,
    from: Input | undefined,
    value: User[K] | undefined,
  ) => {
    if (from === undefined || value === undefined) return;
    user[key] = value;
    draft.origin(["users", name, key], from);
  };
  const field = (key: string) => input.get(key);
  field("name")?.mark("translated");
  set("description", field("gecos"), field("gecos")?.looseText());
  set("uid", field("uid"), field("uid")?.integer());
  set("home", field("homedir"), field("homedir")?.text());
  set("primaryGroup", field("primary_group"), field("primary_group")?.looseText());
  set("system", field("system"), field("system")?.boolean());
  if (field("no_create_home")?.boolean() === true)
    set("createHome", field("no_create_home"), false);
  const extra = field("groups");
  if (extra !== undefined)
    set("groups", extra, unique([...(user.groups ?? []), ...groupNames(extra)]));
  const keys = [
    ...(field("ssh_authorized_keys")?.texts() ?? []),
    ...(field("ssh-authorized-keys")?.texts() ?? []),
  ];
  if (keys.length > 0) {
    const from = field("ssh_authorized_keys") ?? field("ssh-authorized-keys");
    set("authorizedKeys", from, unique([...(user.authorizedKeys ?? []), ...keys]));
  }
  set("sudo", field("sudo"), readRules(field("sudo")));
  set("doas", field("doas"), readRules(field("doas")));
  set("shell", field("shell"), readShell(field("shell")));
  set("expires", field("expiredate"), field("expiredate")?.looseText());
  readPassword(name, user, input, draft);
  if (field("no_user_group")?.boolean() === true && user.primaryGroup === undefined)
    user.primaryGroup = "users";
  field("no_log_init")?.unsupported(
    { code: "cloud-config/no-meaning", message: "NixOS keeps no lastlog entries to initialise" },
    "note",
  );
  for (const [key, hint] of Object.entries(notExpressible)) {
    field(key)?.unsupported({
      code: "cloud-config/unsupported-key",
      message: `users.${key} is not expressible on NixOS`,
      hint,
    });
  }
}

const notExpressible: Readonly<Record<string, string>> = {
  inactive: "use `expiredate`",
  selinux_user: "NixOS has no SELinux; drop it",
  snapuser: "NixOS has no snap; drop it",
  ssh_redirect_user: "give the user no key, or a key with a forced command",
  ssh_import_id: "put the keys themselves under `ssh_authorized_keys`",
};

/** The hash becomes a secret; a password in plain text is refused, because only its hash may travel. */
function readPassword(name: string, user: User, input: Input, draft: SpecDraft): void {
  const lock = input.get("lock_passwd") ?? input.get("lock-passwd");
  const locked = lock?.boolean() ?? user.locked ?? true;
  user.locked = locked;
  const hashInput = input.get("hashed_passwd") ?? input.get("passwd");
  const hash = hashInput?.text();
  input.get("passwd")?.mark("translated");
  if (hashInput !== undefined && hash !== undefined) {
    if (!looksHashed(hash)) {
      hashInput.add("error", {
        code: "cloud-config/not-a-hash",
        message: "expected a password hash of crypt(3)",
        hint: "make one with `mkpasswd -m yescrypt`",
      });
    } else {
      user.passwordHash = draft.secret(`user-${name}-password`, hash);
      draft.origin(["users", name, "passwordHash"], hashInput);
    }
  }
  input.get("plain_text_passwd")?.unsupported({
    code: "cloud-config/plain-password",
    message: "a password in plain text is not taken; the account gets none",
    hint: "make a hash with `mkpasswd -m yescrypt` and give it as `hashed_passwd`",
  });
}

/** The forms that crypt(5) knows: `$id$…`, traditional and extended DES, and the locked `!` and `*`. */
function looksHashed(text: string): boolean {
  return /^(\$[0-9a-z]+[$a-zA-Z0-9./=,+-][^\s:]*|[A-Za-z0-9./]{13}|_[A-Za-z0-9./]{19}|[!*][^\s:]*)$/.test(
    text,
  );
}

function groupNames(input: Input): readonly string[] {
  if (!input.isMapping()) return input.names();
  input.mark("translated");
  return input.entries().map(([name]) => name);
}

/** Rules of sudo or doas: a text or a list; `false`, `null` and empty text mean none. */
function readRules(input: Input | undefined): string[] | undefined {
  if (input === undefined) return undefined;
  if (input.value === false || input.value === null || input.value === "") {
    input.mark("translated");
    return [];
  }
  return [...input.texts()].filter((rule) => rule.trim() !== "");
}

function addGroup(draft: SpecDraft, name: string, members: readonly string[], input: Input): void {
  const all = (draft.spec.groups ??= {});
  const before = Object.hasOwn(all, name) ? (all[name]?.members ?? []) : [];
  const wish = unique([...before, ...members]);
  const value = wish.length === 0 ? {} : { members: wish };
  Object.defineProperty(all, name, { value, enumerable: true, writable: true, configurable: true });
  draft.origin(["groups", name], input);
}

function unique(items: readonly string[]): string[] {
  return [...new Set(items)];
}
