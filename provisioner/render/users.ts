import type { User } from "#generated/provisioner/spec/v1.ts";
import {
  attrs,
  bind,
  bool,
  call,
  int,
  interpolated,
  list,
  type NixExpr,
  ref,
  str,
} from "#provisioner/nix-language/tree.ts";
import {
  type Assignment,
  addFinding,
  assign,
  type Concern,
  credential,
  winning,
} from "./assignment.ts";
import { passwordFile } from "./passwords.ts";

/** Accounts, groups, and how ssh lets them in. */
export function renderUsers(concern: Concern): readonly Assignment[] {
  const { spec, base } = concern;
  const users = Object.entries(spec.users ?? {});
  const shells = new Set(users.map(([, user]) => user.shell));
  return [
    assign(["users", "mutableUsers"], winning(base, bool(base.mutableUsers)), ["mutableUsers"]),
    ...users.flatMap(([name, user]) => renderUser(concern, name, user)),
    ...renderGroups(concern),
    ...(["zsh", "fish"] as const)
      .filter((shell) => shells.has(shell))
      .map((shell) => assign(["programs", shell, "enable"], bool(true))),
    ...renderSshd(concern),
    ...renderSudo(concern),
    ...renderDoas(concern),
  ];
}

function renderUser(concern: Concern, name: string, user: User): readonly Assignment[] {
  const { base } = concern;
  const from = ["users", name];
  const path = ["users", "users", name];
  const set = (key: string, value: NixExpr | undefined, field = key) =>
    value === undefined ? [] : [assign([...path, key], value, [...from, field])];
  const text = (value: string | undefined) =>
    value === undefined ? undefined : winning(base, str(value));
  const isRoot = name === "root";
  const kind = user.system === true ? "isSystemUser" : "isNormalUser";
  return [
    ...(isRoot ? [] : [assign([...path, kind], bool(true), from)]),
    ...set("uid", user.uid === undefined ? undefined : winning(base, int(user.uid))),
    ...set("description", text(user.description)),
    ...(isRoot ? [] : set("group", text(user.primaryGroup ?? name), "primaryGroup")),
    ...set("extraGroups", nonEmpty(user.groups), "groups"),
    ...set("home", text(user.home)),
    ...set(
      "createHome",
      user.createHome === undefined ? undefined : winning(base, bool(user.createHome)),
    ),
    ...set("shell", user.shell === undefined ? undefined : winning(base, shellPackage(user.shell))),
    ...set("expires", text(user.expires)),
    ...renderPassword(concern, name, user, path),
    ...(user.authorizedKeys === undefined || user.authorizedKeys.length === 0
      ? []
      : [
          assign(
            [...path, "openssh", "authorizedKeys", "keys"],
            list(user.authorizedKeys.map(str)),
            [...from, "authorizedKeys"],
          ),
        ]),
  ];
}

/** A locked account has no password; else the hash is read from a file that is in place before users are made. */
function renderPassword(
  concern: Concern,
  name: string,
  user: User,
  path: readonly string[],
): readonly Assignment[] {
  if (user.locked === true) {
    return [
      assign([...path, "hashedPassword"], winning(concern.base, str("!")), [
        "users",
        name,
        "locked",
      ]),
    ];
  }
  if (user.passwordHash === undefined) return [];
  const file = passwordFile(credential(concern, user.passwordHash.secretRef));
  return [
    assign([...path, "hashedPasswordFile"], winning(concern.base, str(file)), [
      "users",
      name,
      "passwordHash",
    ]),
  ];
}

function shellPackage(shell: NonNullable<User["shell"]>): NixExpr {
  if (shell === "nologin") return interpolated(ref("pkgs", "shadow"), "/bin/nologin");
  return ref("pkgs", shell === "bash" ? "bashInteractive" : shell);
}

/** Groups that every NixOS has. */
const systemGroups = new Set([
  ...[
    "root",
    "wheel",
    "users",
    "adm",
    "kmem",
    "tty",
    "messagebus",
    "disk",
    "audio",
    "floppy",
    "uucp",
    "lp",
    "cdrom",
  ],
  ...[
    "tape",
    "video",
    "dialout",
    "nogroup",
    "keys",
    "utmp",
    "systemd-journal",
    "kvm",
    "render",
    "sgx",
    "shadow",
    "input",
  ],
]);

/** Groups that are asked for by name, those of their users, and one for each user without a main group. */
function renderGroups({ spec, base }: Concern): readonly Assignment[] {
  const users = Object.entries(spec.users ?? {});
  const wished = Object.entries(spec.groups ?? {});
  const named = new Set(wished.map(([name]) => name));
  const own = users.flatMap(([name, user]) => (name === "root" ? [] : [user.primaryGroup ?? name]));
  const further = users.flatMap(([, user]) => user.groups ?? []);
  const missing = new Set(
    [...own, ...further].filter((name) => !named.has(name) && !systemGroups.has(name)),
  );
  return [
    ...[...missing].map((name) => assign(["users", "groups", name], attrs([]), ["users"])),
    ...wished.map(([name, group]) => {
      const entries = [
        ...(group.gid === undefined ? [] : [bind("gid", winning(base, int(group.gid)))]),
        ...(group.members === undefined || group.members.length === 0
          ? []
          : [bind("members", list(group.members.map(str)))]),
      ];
      return assign(["users", "groups", name], attrs(entries), ["groups", name]);
    }),
  ];
}

function renderSshd({ spec, base }: Concern): readonly Assignment[] {
  const { sshd } = spec;
  const path = ["services", "openssh"];
  const hasKeys = Object.values(spec.users ?? {}).some(
    (user) => (user.authorizedKeys?.length ?? 0) > 0,
  );
  const set = (key: readonly string[], value: NixExpr | undefined, field: string) =>
    value === undefined ? [] : [assign([...path, ...key], winning(base, value), ["sshd", field])];
  return [
    ...(sshd?.enable === undefined && hasKeys
      ? [assign([...path, "enable"], call(ref("lib", "mkDefault"), bool(true)), ["users"])]
      : []),
    ...set(["enable"], sshd?.enable === undefined ? undefined : bool(sshd.enable), "enable"),
    ...set(
      ["settings", "PasswordAuthentication"],
      sshd?.passwordAuthentication === undefined ? undefined : bool(sshd.passwordAuthentication),
      "passwordAuthentication",
    ),
    ...set(
      ["settings", "PermitRootLogin"],
      sshd?.permitRootLogin === undefined ? undefined : str(sshd.permitRootLogin),
      "permitRootLogin",
    ),
  ];
}

/** The rule that nearly everybody writes has options of its own; any other goes to sudoers as it is. */
function renderSudo(concern: Concern): readonly Assignment[] {
  const rules: NixExpr[] = [];
  const lines: string[] = [];
  for (const [name, user] of Object.entries(concern.spec.users ?? {})) {
    for (const [index, rule] of (user.sudo ?? []).entries()) {
      const [, runAs, noPassword] =
        /^ALL ?= ?\((ALL|ALL ?: ?ALL)\) ?(NOPASSWD: ?)?ALL$/.exec(rule.trim()) ?? [];
      if (runAs !== undefined)
        rules.push(everythingRule(name, runAs.replaceAll(" ", ""), noPassword !== undefined));
      else if (isOneLine(rule)) lines.push(`${name} ${rule.trim()}`);
      else refuseRule(concern, ["users", name, "sudo", String(index)]);
    }
  }
  return [
    ...(rules.length === 0
      ? []
      : [assign(["security", "sudo", "extraRules"], list(rules), ["users"])]),
    ...(lines.length === 0
      ? []
      : [assign(["security", "sudo", "extraConfig"], str(`${lines.join("\n")}\n`), ["users"])]),
  ];
}

function everythingRule(name: string, runAs: string, noPassword: boolean): NixExpr {
  const options = noPassword ? [bind("options", list([str("NOPASSWD")]))] : [];
  return attrs([
    bind("users", list([str(name)])),
    bind("runAs", str(runAs)),
    bind("commands", list([attrs([bind("command", str("ALL")), ...options])])),
  ]);
}

function renderDoas(concern: Concern): readonly Assignment[] {
  const lines: string[] = [];
  for (const [name, user] of Object.entries(concern.spec.users ?? {})) {
    for (const [index, rule] of (user.doas ?? []).entries()) {
      if (isOneLine(rule)) lines.push(rule.trim());
      else refuseRule(concern, ["users", name, "doas", String(index)]);
    }
  }
  if (lines.length === 0) return [];
  return [
    assign(["security", "doas", "enable"], bool(true), ["users"]),
    assign(["security", "doas", "extraConfig"], str(`${lines.join("\n")}\n`), ["users"]),
  ];
}

function isOneLine(rule: string): boolean {
  return !/[\n\r\0]/.test(rule) && !rule.trimEnd().endsWith("\\") && rule.trim() !== "";
}

function refuseRule(concern: Concern, path: readonly string[]): void {
  addFinding(
    concern,
    path,
    "error",
    "render/rule",
    "expected a rule of one line",
    "write each rule as an item of its own",
  );
}

function nonEmpty(items: readonly string[] | undefined): NixExpr | undefined {
  return items === undefined || items.length === 0 ? undefined : list(items.map(str));
}
