import { canonicalJson } from "#core/canonical-json.ts";
import {
  attrs,
  bind,
  call,
  interpolated,
  join,
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
  credentialsDirectory,
  shellWord,
} from "./assignment.ts";
import type { CredentialFile } from "./base.ts";

/** Below a system: the program that puts the secrets of its initrd where the boot menu's writer looks. */
export const initrdSecretsProgram = "etc/firstlight/initrd-secrets";

const directory = "/run/firstlight/initrd";

/**
 * Secrets that NixOS appends to an initrd as the boot menu is written (`boot.initrd.secrets`). They are
 * decrypted for that time alone, by a program of the system that they belong to, because every system of
 * the menu needs its own; the root side runs it around `switch-to-configuration boot`.
 *
 * systemd-boot has one copy of an initrd for all systems that share it, so that one with other secrets is
 * another one.
 */
export function renderInitrdSecrets(concern: Concern): readonly Assignment[] {
  const secrets = Object.entries(concern.spec.initrdSecrets ?? {}).sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  if (secrets.length === 0) return [];
  warn(concern);
  const files = secrets.map(([path, { secretRef }]) => ({
    path,
    file: credential(concern, secretRef),
  }));
  const from = ["initrdSecrets"];
  const initrd = ["boot", "initrd"];
  const versions = canonicalJson(Object.fromEntries(files.map((f) => [f.path, f.file.version])));
  const mark = "/etc/firstlight-secrets";
  const marked = attrs([
    bind("source", call(ref("pkgs", "writeText"), str("initrd-secrets"), str(versions))),
  ]);
  return [
    ...files.map(({ path, file }) =>
      assign([...initrd, "secrets", path], str(`${directory}/${file.file}`), [...from, path]),
    ),
    assign([...initrd, "extraFiles", mark], marked, from),
    assign([...initrd, "systemd", "contents", mark, "text"], str(versions), from),
    assign(
      ["environment", "etc", initrdSecretsProgram.replace("etc/", ""), "source"],
      program(files.map(({ file }) => file)),
      from,
    ),
  ];
}

function warn(concern: Concern): void {
  const from = ["initrdSecrets"];
  if (concern.base.platform?.bootLoader === "extlinux") {
    const message = "extlinux, which this machine boots by, brings no secrets into the initrd";
    const hint = "open what needs them after the initrd, where units are handed secrets";
    addFinding(concern, from, "error", "render/no-initrd-secrets", message, hint);
    return;
  }
  const message =
    "these secrets lie on the boot partition in the clear: whoever can read the disk has them";
  const hint = "give keys only that are worth no more than the disk that the initrd is on";
  addFinding(concern, from, "warning", "render/initrd-in-clear", message, hint);
}

/** `reveal` and `hide`; the latter takes away what any system has revealed. */
function program(files: readonly CredentialFile[]): NixExpr {
  const each = new Map(files.map((file) => [file.file, file]));
  const calls = [...each.values()].map((file) => {
    const how = file.encrypted ? "encrypted" : "plain";
    return `  reveal ${[how, file.name, file.file].map(shellWord).join(" ")}\n`;
  });
  const tools = ["coreutils", "util-linux", "systemd"].flatMap((name, at) => [
    at === 0 ? "export PATH=" : ":",
    ref("pkgs", name),
    "/bin",
  ]);
  const script = `${functions}if [ "$1" = reveal ]; then\n  prepare\n${calls.join("")}else\n  hide\nfi\n`;
  const text = join("+", [interpolated(...tools, "\n"), str(script)]);
  return call(ref("pkgs", "writeShellScript"), str("initrd-secrets"), text);
}

/** In a ramfs, which is never swapped; where none can be mounted, in the tmpfs that /run is. */
const functions = `set -eu
umask 077
prepare() {
  install -d -m 0700 ${directory}
  mountpoint -q ${directory} || mount -t ramfs -o mode=0700 ramfs ${directory} || true
}
reveal() { # how, name, file: how is "encrypted" or "plain"
  local from=${credentialsDirectory}/$3 to=${directory}/$3
  case $1 in
    encrypted) systemd-creds decrypt --name="$2" "$from" - > "$to.new" ;;
    plain) cat "$from" > "$to.new" ;;
  esac
  mv "$to.new" "$to"
}
hide() {
  umount -q ${directory} || true
  rm -rf --one-file-system ${directory}
}
`;
