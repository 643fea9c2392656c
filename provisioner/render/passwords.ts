import {
  attrs,
  bind,
  call,
  ifElse,
  join,
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
  credentialsDirectory,
  shellWord,
} from "./assignment.ts";
import type { CredentialFile } from "./base.ts";

const directory = "/run/firstlight/passwords";

/** Where activation finds the password hash behind a credential. */
export function passwordFile(file: CredentialFile): string {
  return `${directory}/${file.file}`;
}

/**
 * The step of activation that puts password hashes in place before users are made: in memory
 * (ramfs, never swapped), from the credential files. Where one is missing or cannot be decrypted the
 * user's present hash is kept, so that a lost file never locks anybody out; an account that has none
 * yet is made locked, never open.
 *
 * Where systemd-sysusers or userborn make the users, NixOS's own step `users` is an empty text, and
 * units that run after activation read the same files.
 */
export function renderPasswords(concern: Concern): readonly Assignment[] {
  const users = Object.entries(concern.spec.users ?? {}).flatMap(([name, user]) =>
    user.passwordHash === undefined || user.locked === true
      ? []
      : [{ name, file: credential(concern, user.passwordHash.secretRef) }],
  );
  if (users.length === 0) return [];
  const step = attrs([bind("deps", list([str("specialfs")])), bind("text", script(users))]);
  const before = attrs([bind("deps", list([str("firstlightPasswords")]))]);
  const scripts = ["system", "activationScripts"];
  return [
    assign([...scripts, "firstlightPasswords"], step, ["users"]),
    assign([...scripts, "users"], ifElse(usersByUnit, nothing, before), ["users"]),
  ];
}

const nothing = call(ref("lib", "mkMerge"), list([]));
const isOn = (...option: string[]): NixExpr =>
  select(ref("config"), [...option, "enable"], { kind: "bool", value: false });
const usersByUnit = join("||", [isOn("systemd", "sysusers"), isOn("services", "userborn")]);

interface Password {
  readonly name: string;
  readonly file: CredentialFile;
}

/** Runs with NixOS's PATH of activation: coreutils, util-linux and a few more, and no sed. */
const functions = `# Password hashes, in memory, before users are made.
install -d -m 0700 ${directory}
mountpoint -q ${directory} || mount -t ramfs -o mode=0700 ramfs ${directory} || true
readCredential() { # how, name, file: how is "encrypted" or "plain"
  local from=${credentialsDirectory}/$3
  case $1 in
    encrypted) "$systemConfig/systemd/bin/systemd-creds" decrypt --name="$2" "$from" - ;;
    plain) cat "$from" ;;
  esac
}
presentPassword() { # user: what stands in /etc/shadow, else a password that nothing fits
  local name hash rest
  while IFS=: read -r name hash rest; do
    if [ "$name" = "$1" ]; then echo "\${hash:-!}"; return; fi
  done 2> /dev/null < /etc/shadow || true
  echo '!'
}
password() { # user, how, name, file: whole or not there, because users are made from it
  local target=${directory}/$4
  if ! (umask 077 && readCredential "$2" "$3" "$4" > "$target.new" && [ -s "$target.new" ]); then
    echo "firstlight: the password of $1 cannot be read; the present one is kept" >&2
    (umask 077 && presentPassword "$1" > "$target.new")
  fi
  mv "$target.new" "$target"
}
`;

function script(users: readonly Password[]): NixExpr {
  const calls = users.map(({ name, file }) => {
    const how = file.encrypted ? "encrypted" : "plain";
    return `password ${[name, how, file.name, file.file].map(shellWord).join(" ")}\n`;
  });
  return str([functions, ...calls].join(""));
}
