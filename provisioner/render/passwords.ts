import {
  attrs,
  bind,
  interpolated,
  list,
  type NixExpr,
  ref,
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
 * user's present hash is kept, so that a lost file never locks anybody out.
 */
export function renderPasswords(concern: Concern): readonly Assignment[] {
  const users = Object.entries(concern.spec.users ?? {}).flatMap(([name, user]) =>
    user.passwordHash === undefined || user.locked === true
      ? []
      : [{ name, file: credential(concern, user.passwordHash.secretRef) }],
  );
  if (users.length === 0) return [];
  const step = attrs([bind("deps", list([str("specialfs")])), bind("text", script(users))]);
  return [
    assign(["system", "activationScripts", "firstlightPasswords"], step, ["users"]),
    assign(["system", "activationScripts", "users", "deps"], list([str("firstlightPasswords")]), [
      "users",
    ]),
  ];
}

function script(
  users: readonly { readonly name: string; readonly file: CredentialFile }[],
): NixExpr {
  const coreutils = (program: string) => [ref("pkgs", "coreutils"), `/bin/${program}`];
  const parts: (string | NixExpr)[] = [
    "# password hashes, in memory, before users are made\n",
    ...coreutils("install"),
    ` -d -m 0700 ${directory}\n`,
    ref("pkgs", "util-linux"),
    `/bin/mountpoint -q ${directory} || `,
    ref("pkgs", "util-linux"),
    `/bin/mount -t ramfs -o mode=0700 ramfs ${directory} || true\n`,
  ];
  for (const { name, file } of users) {
    const target = shellWord(passwordFile(file));
    const source = shellWord(`${credentialsDirectory}/${file.file}`);
    parts.push("(umask 077\n");
    if (file.encrypted) {
      parts.push(
        ref("config", "systemd", "package"),
        `/bin/systemd-creds decrypt --name=${shellWord(file.name)} ${source} ${target}.new`,
      );
    } else {
      parts.push(...coreutils("cp"), ` ${source} ${target}.new`);
    }
    parts.push(
      " && ",
      ...coreutils("mv"),
      ` ${target}.new ${target}) || {\n  echo ${shellWord(`firstlight: the password of ${name} cannot be read; the present one is kept`)} >&2\n  (umask 077; `,
      ref("pkgs", "gnused"),
      `/bin/sed -n ${shellWord(`s/^${name.replace(/[.$]/g, "\\$&")}:\\([^:]*\\):.*/\\1/p`)} /etc/shadow > ${target})\n}\n`,
    );
  }
  return interpolated(...parts);
}
