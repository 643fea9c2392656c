import type { Input } from "../input.ts";
import type { CloudConfigModule, ModuleInput } from "./module.ts";
import { addCommand, quoted } from "./own-command.ts";

const hashes = ["sha256", "sha512", "sha384", "sha1", "md5"];

/** `no_ssh_fingerprints` and `authkey_hash`. */
export const sshAuthkeyFingerprints: CloudConfigModule = {
  name: "ssh_authkey_fingerprints",
  keys: ["no_ssh_fingerprints", "authkey_hash"],
  rule:
    "With `no_ssh_fingerprints: false` or an `authkey_hash` a command shows the fingerprints of the keys that may log in " +
    "on the console, once per instance, for each user of the document that is no system user; without a word of " +
    "either nothing is shown.",
  example:
    "users: [{ name: alice, ssh_authorized_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExampleExampleExampleExampleEx] }]\n" +
    "no_ssh_fingerprints: false\nauthkey_hash: sha512\n",
  translate(module) {
    const { config } = module;
    const off = config.get("no_ssh_fingerprints");
    const isOff = off?.boolean();
    const hashInput = config.get("authkey_hash");
    const hash = readHashName(hashInput);
    const at = isOff === false ? off : hashInput;
    if (isOff === true || at === undefined) {
      const message = "no fingerprints are shown";
      if (hash !== undefined)
        hashInput?.unsupported({ code: "cloud-config/no-meaning", message }, "note");
      return;
    }
    if (isOff === undefined && hash === undefined) return;
    addFingerprints(module, hash ?? "sha256", at);
  },
};

function readHashName(input: Input | undefined): string | undefined {
  const name = input?.text()?.toLowerCase();
  if (input === undefined || name === undefined || hashes.includes(name)) return name;
  const hint = `known are ${hashes.join(", ")}`;
  input.unsupported({ code: "cloud-config/unknown-value", message: "an unknown hash", hint });
  return undefined;
}

function addFingerprints({ draft }: ModuleInput, hash: string, at: Input): void {
  const users = Object.entries(draft.spec.users ?? {})
    .filter(([, user]) => user.system !== true && user.createHome !== false)
    .map(([name]) => quoted(name));
  const lines = [
    `[ -w /dev/console ] || { echo "there is no console to show fingerprints on" >&2; exit 1; }`,
    "exec > /dev/console",
    `for user in ${users.join(" ")}; do`,
    "  file=/etc/ssh/authorized_keys.d/$user",
    `  if [ -s "$file" ]; then`,
    `    echo "keys that may log in as $user ($file):"`,
    `    ssh-keygen -l -E ${hash} -f "$file"`,
    "  else",
    `    echo "no keys may log in as $user"`,
    "  fi",
    "done",
  ];
  addCommand(draft, { name: "ssh-fingerprints", when: "late", lines, at });
  at.mark("agent");
}
