import type { Input } from "../input.ts";
import { readKeys } from "./authorized-keys.ts";
import type { CloudConfigModule, ModuleInput } from "./module.ts";

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExampleExampleExampleExampleEx ops";

/** Keys of the default user, and how one may log in with ssh. */
export const ssh: CloudConfigModule = {
  name: "ssh",
  keys: ["ssh_authorized_keys", "allow_public_ssh_keys", "disable_root", "ssh_pwauth"],
  rule:
    "`ssh_authorized_keys` and the keys of the meta-data go to the default user; with " +
    "`disable_root: false` to root as well. What looks like no key is kept, with a warning; a private " +
    "key is refused. `allow_public_ssh_keys: false` leaves those of the " +
    "meta-data out. `disable_root: true` forbids root to log in. Without `disable_root` root gets none of " +
    "these keys, as by cloud-init's default, which is `true`; but keys that root has under `users` work, and " +
    "whether root may log in is left to the image (of NixOS: with a key only). cloud-init gives root these keys with a " +
    "command that names the default user; firstlight gives it none. `ssh_pwauth` says whether passwords " +
    "are accepted; `unchanged` leaves that to the image. `ssh_pwauth`, `disable_root` and keys of anybody switch " +
    "the ssh server on, which every image of cloud-init runs; an image of NixOS that says otherwise is followed.",
  example: `ssh_authorized_keys:\n  - ${key}\ndisable_root: true\nssh_pwauth: false\n`,
  translate(module) {
    const { config, draft, context } = module;
    const keysInput = config.get("ssh_authorized_keys");
    const withMeta = config.get("allow_public_ssh_keys")?.boolean() ?? true;
    const keys = [...(withMeta ? context.publicKeys : []), ...readKeys(keysInput)];
    const rootInput = config.get("disable_root");
    const disableRoot = rootInput?.boolean();
    giveKeys(module, keys, keysInput, disableRoot ?? true);
    if (rootInput !== undefined && disableRoot !== undefined) {
      const permitRootLogin = disableRoot ? "no" : "prohibit-password";
      draft.spec.sshd = { ...draft.spec.sshd, permitRootLogin };
      draft.origin(["sshd", "permitRootLogin"], rootInput);
      if (disableRoot) warnOfUselessKeys(module, rootInput);
    }
    readPasswordAuthentication(module);
  },
};

function giveKeys(
  { config, draft }: ModuleInput,
  keys: readonly string[],
  input: Input | undefined,
  disableRoot: boolean,
): void {
  const wanted = [draft.defaultUser, disableRoot ? undefined : "root"];
  const accounts = wanted.filter((name) => name !== undefined);
  if (keys.length === 0) return;
  for (const name of accounts) {
    const user = draft.user(name);
    user.authorizedKeys = [...new Set([...keys, ...(user.authorizedKeys ?? [])])];
    if (input !== undefined) draft.origin(["users", name, "authorizedKeys"], input);
  }
  if (accounts.length > 0) return;
  (input ?? config.get("users") ?? config).add("warning", {
    code: "cloud-config/no-default-user",
    message: `${keys.length} ssh keys were given to nobody: \`users\` does not list \`default\``,
    hint: "add `- default` to `users`, or put the keys under a user",
  });
}

function warnOfUselessKeys({ draft }: ModuleInput, input: Input): void {
  if ((draft.spec.users?.["root"]?.authorizedKeys ?? []).length === 0) return;
  input.add("warning", {
    code: "cloud-config/overridden",
    message: "root has ssh keys of its own, and may not log in with them",
    hint: "drop `disable_root`, or the keys of root",
  });
}

function readPasswordAuthentication({ config, draft }: ModuleInput): void {
  const input = config.get("ssh_pwauth");
  if (input === undefined) return;
  if (String(input.value).toLowerCase() === "unchanged") {
    return input.mark("translated");
  }
  const passwordAuthentication = input.boolean();
  if (passwordAuthentication === undefined) return;
  draft.spec.sshd = { ...draft.spec.sshd, passwordAuthentication };
  draft.origin(["sshd", "passwordAuthentication"], input);
}
