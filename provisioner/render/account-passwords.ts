import {
  attrs,
  bind,
  bool,
  call,
  list,
  type NixExpr,
  ref,
  select,
  str,
} from "#provisioner/nix-language/tree.ts";
import {
  type Assignment,
  assign,
  type Concern,
  credential,
  firstSaid,
  loadCredential,
  shellWord,
} from "./assignment.ts";
import type { CredentialFile } from "./base.ts";
import { eachEnd, eachStart } from "./file-shell.ts";
import { isNixosUser } from "./nixos-accounts.ts";
import { onceFunction, stampsFunction, stampWord } from "./once-shell.ts";

/** What is to become of the password of an account. */
interface Wish {
  readonly name: string;
  readonly what: CredentialFile | "lock" | "unlock";
}

export const passwordUnit = "firstlight-passwords";

/**
 * Passwords of accounts that are there already. Where users are mutable NixOS gives a password only to
 * an account that it makes, which root never is, nor a user whom the image brings: so a unit does what
 * cloud-init does to each, once. What it did last for an account of this instance stands in a
 * stamp: another hash is set, also that of a generation that is gone back to, and what a person has
 * chosen since with `passwd` stays for as long as the document says the same.
 */
export function renderAccountPasswords(concern: Concern): readonly Assignment[] {
  const { mutableUsers } = concern.base;
  const wishes = readWishes(concern);
  if (mutableUsers === false || wishes.length === 0) return [];
  const unit = passwordsUnit(concern, wishes);
  const value =
    mutableUsers === null
      ? call(ref("lib", "mkIf"), select(ref("config"), ["users", "mutableUsers"]), unit)
      : unit;
  const from = wishes.map(({ name }) => ["users", name]);
  return [assign(["systemd", "services", passwordUnit], value, firstSaid(concern, from))];
}

function stampOf(name: string): string {
  return `password-${name}`;
}

/** Whether a system does something to the password of an account, by what its sources set of options. */
export function setsPasswordOf(options: ReadonlyMap<string, string>, name: string): boolean {
  const unit = `systemd.services.${passwordUnit}`;
  const call = `/${shellWord(stampOf(name))} `;
  return [...options].some(([option, value]) => option.startsWith(unit) && value.includes(call));
}

/** Whether a spec asks for the password of any account. */
export function setsPasswords(concern: Concern): boolean {
  return concern.base.mutableUsers !== false && readWishes(concern).length > 0;
}

function readWishes(concern: Concern): readonly Wish[] {
  return Object.entries(concern.spec.users ?? {}).flatMap(([name, user]): readonly Wish[] => {
    const { locked, passwordHash } = user;
    if (isNixosUser(name)) return [];
    if (locked === true) return [{ name, what: "lock" }];
    if (passwordHash !== undefined)
      return [{ name, what: credential(concern, passwordHash.secretRef) }];
    return locked === false ? [{ name, what: "unlock" }] : [];
  });
}

/** When accounts are there, whoever makes them, before anybody logs in, and where early commands are. */
function passwordsUnit(concern: Concern, wishes: readonly Wish[]): NixExpr {
  const texts = (items: readonly string[]) => list(items.map(str));
  return attrs([
    bind("description", str("Set passwords of accounts as the spec says")),
    bind("wantedBy", texts(["multi-user.target", "sysinit-reactivation.target"])),
    bind("before", texts(["systemd-user-sessions.service", "sysinit-reactivation.target"])),
    bind("after", texts(["systemd-sysusers.service", "userborn.service"])),
    bind("path", list([ref("pkgs", "shadow")])),
    bind("script", str(script(concern, wishes))),
    bind(
      "serviceConfig",
      attrs([
        bind("Type", str("oneshot")),
        bind("RemainAfterExit", bool(true)),
        bind("TimeoutStartSec", str("5min")),
        ...credentials(wishes),
      ]),
    ),
  ]);
}

function credentials(wishes: readonly Wish[]) {
  const lines = wishes.flatMap(({ what }) =>
    typeof what === "string" ? [] : [loadCredential(what)],
  );
  const byKey = Map.groupBy(lines, ({ key }) => key);
  return [...byKey].map(([key, all]) => {
    return bind(key, list([...new Set(all.map(({ line }) => line))].map(str)));
  });
}

/** Runs with NixOS's PATH of a service, and shadow's programs. Hashes are in no command line. */
const functions = `# What stands in /etc/shadow for a user.
present() {
  local name hash rest
  while IFS=: read -r name hash rest; do
    if [ "$name" = "$1" ]; then
      printf %s "$hash"
      return 0
    fi
  done < /etc/shadow
  echo "firstlight: there is no account $1" >&2
  return 1
}

setHash() { # user, file
  local hash= old
  IFS= read -r hash < "$2" || [ -n "$hash" ]
  old=$(present "$1")
  if [ "$old" != "$hash" ]; then printf '%s:%s\\n' "$1" "$hash" | chpasswd -e; fi
}

lock() {
  local old
  old=$(present "$1")
  case $old in
    '!'* | '*'*) ;;
    *) usermod -L "$1" ;;
  esac
}

# Only where there is a password behind the lock.
unlock() {
  local old
  old=$(present "$1")
  case $old in
    '!'[!'!*']*) usermod -U "$1" ;;
  esac
}
`;

function script({ instanceId }: Concern, wishes: readonly Wish[]): string {
  const calls = wishes.map(({ name, what }) => {
    const user = shellWord(name);
    const stamp = stampWord(instanceId, "/etc/shadow", stampOf(name));
    if (typeof what === "string") return `once ${stamp} ${what} ${what} ${user}\n`;
    const file = `"$CREDENTIALS_DIRECTORY"/${shellWord(what.name)}`;
    return `once ${stamp} ${shellWord(`hash-${what.version}`)} setHash ${user} ${file}\n`;
  });
  const last = `${eachStart}${calls.join("")}${eachEnd}`;
  return [stampsFunction, onceFunction, functions, last].join("\n");
}
