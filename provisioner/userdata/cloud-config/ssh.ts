import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import { withOptions } from "../public-key-line.ts";
import { readKeys } from "./authorized-keys.ts";
import { readHostKeys } from "./host-keys.ts";
import type { CloudConfigModule, ModuleInput } from "./module.ts";

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExampleExampleExampleExampleEx ops";

/** Keys of the default user, and how one may log in with ssh. */
export const ssh: CloudConfigModule = {
  name: "ssh",
  keys: [
    "ssh_authorized_keys",
    "allow_public_ssh_keys",
    "disable_root",
    "disable_root_opts",
    "ssh_keys",
    "ssh_genkeytypes",
    "ssh_deletekeys",
    "ssh_publish_hostkeys",
    "ssh_quiet_keygen",
  ],
  rule:
    "`ssh_authorized_keys` and the keys of the meta-data go to the default user; with " +
    "`disable_root: false` to root as well. What looks like no key is kept, with a warning; a private " +
    "key is refused. `allow_public_ssh_keys: false` leaves those of the " +
    "meta-data out. `disable_root: true` forbids root to log in. Without `disable_root` root gets none of " +
    "these keys, as by cloud-init's default, which is `true`; but keys that root has under `users` work, and " +
    "whether root may log in is left to the image (of NixOS: with a key only). cloud-init gives root these keys with a " +
    "command that names the default user; firstlight does so with `disable_root_opts` only, whose `$USER` is " +
    "the default user and `$DISABLE_USER` is root. `ssh_pwauth`, `disable_root` and keys of anybody switch " +
    "the ssh server on, which every image of cloud-init runs; an image of NixOS that says otherwise is followed. " +
    "`ssh_keys` are the host keys: private ones are secrets, and sshd has these and no others; a public " +
    "one that is missing is made from it; one certificate is presented. Without them `ssh_genkeytypes` says which NixOS makes where they are missing. " +
    "`ssh_deletekeys: true` removes what the image brought, before the first commit of an instance; NixOS makes " +
    "others. What is sealed to such a host key cannot be opened from then on. DSA has no keys any more. " +
    "`ssh_publish_hostkeys` has the node tell its public host keys where it reports; to the cloud they are not handed.",
  example: `ssh_authorized_keys:
  - ${key}
disable_root: true
ssh_genkeytypes: [ed25519]
`,
  translate(module) {
    giveKeys(module, readRoot(module));
    readHostKeys(module);
    publishHostKeys(module);
    nameQuiet(module);
  },
};

/** What comes before the keys of root: `""` for nothing, `undefined` where root gets none of them. */
function readRoot(module: ModuleInput): string | undefined {
  const { config, draft } = module;
  const input = config.get("disable_root");
  const disabled = input?.boolean();
  const options = readOptions(module, disabled ?? true);
  const isOpen = disabled === false || options !== undefined;
  if (isOpen || (input !== undefined && disabled !== undefined)) {
    const permitRootLogin = isOpen ? "prohibit-password" : "no";
    draft.spec.sshd = { ...draft.spec.sshd, permitRootLogin };
    draft.origin(["sshd", "permitRootLogin"], input ?? config);
  }
  if (disabled === true && options === undefined && input !== undefined) {
    warnOfUselessKeys(module, input);
  }
  return disabled === false ? "" : options;
}

/** `disable_root_opts`, with the names of the users in it. */
function readOptions({ config, draft }: ModuleInput, disabled: boolean): string | undefined {
  const input = config.get("disable_root_opts");
  const text = input?.text()?.trim();
  if (input === undefined || text === undefined) return undefined;
  if (!disabled) {
    const message = "root may log in, so that no options come before its keys";
    input.unsupported({ code: "cloud-config/overridden", message }, "note");
    return undefined;
  }
  if (/[\r\n]/.test(text)) {
    input.expected(
      "options of a key in one line",
      "write them with commas between them, as `no-pty,no-X11-forwarding`",
      "several lines",
    );
    return undefined;
  }
  const user = draft.defaultUser ?? "NONE";
  return text.replaceAll("$USER", () => user).replaceAll("$DISABLE_USER", "root");
}

function giveKeys(module: ModuleInput, ofRoot: string | undefined): void {
  const { config, draft, context } = module;
  const input = config.get("ssh_authorized_keys");
  const withMeta = config.get("allow_public_ssh_keys")?.boolean() ?? true;
  const keys = [...(withMeta ? context.publicKeys : []), ...readKeys(input)];
  if (keys.length === 0) return;
  const { defaultUser } = draft;
  if (defaultUser !== undefined) addKeys(draft, defaultUser, keys, input);
  if (ofRoot !== undefined) {
    const lines = ofRoot === "" ? keys : keys.map((line) => withOptions(line, ofRoot));
    addKeys(draft, "root", lines, input);
  }
  if (defaultUser !== undefined || ofRoot === "") return;
  (input ?? config.get("users") ?? config).add("warning", {
    code: "cloud-config/no-default-user",
    message: `${keys.length} ssh keys were given to nobody: \`users\` does not list \`default\``,
    hint: "add `- default` to `users`, or put the keys under a user",
  });
}

function addKeys(
  draft: SpecDraft,
  name: string,
  keys: readonly string[],
  input: Input | undefined,
): void {
  const user = draft.user(name);
  user.authorizedKeys = [...new Set([...keys, ...(user.authorizedKeys ?? [])])];
  if (input !== undefined) draft.origin(["users", name, "authorizedKeys"], input);
}

function nameQuiet({ config }: ModuleInput): void {
  const quiet = config.get("ssh_quiet_keygen");
  const message = "nothing is said while keys are made";
  if (quiet?.boolean() !== undefined) {
    quiet.unsupported({ code: "cloud-config/no-meaning", message }, "note");
  }
}

/** `ssh_publish_hostkeys`: the fleet is who learns of the keys, not the cloud. */
function publishHostKeys({ config, draft }: ModuleInput): void {
  const input = config.get("ssh_publish_hostkeys");
  if (input === undefined) return;
  if (!input.isMapping()) return input.expected("a mapping", "write it as `{ enabled: true }`");
  const enabled = input.get("enabled")?.boolean() ?? !input.has("enabled");
  const left = input.get("blacklist");
  const kinds = left === undefined ? [] : left.oneOrMoreTexts();
  if (enabled && kinds.some((kind) => kind !== "dsa")) {
    left?.unsupported({
      code: "cloud-config/unsupported-key",
      message: "the public host keys are told, those of this list with them",
      hint: "drop it, or have fewer keys with `ssh_genkeytypes`",
    });
  }
  if (input.entries().length === 0) input.mark("translated");
  if (!enabled) return;
  draft.spec.report = { ...draft.spec.report, hostKeys: true };
  draft.origin(["report", "hostKeys"], input);
}

function warnOfUselessKeys({ draft }: ModuleInput, input: Input): void {
  if ((draft.spec.users?.["root"]?.authorizedKeys ?? []).length === 0) return;
  input.add("warning", {
    code: "cloud-config/overridden",
    message: "root has ssh keys of its own, and may not log in with them",
    hint: "drop `disable_root`, or the keys of root",
  });
}
