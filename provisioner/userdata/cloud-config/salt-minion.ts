import type { Json } from "#core/canonical-json.ts";
import type { Unit } from "#generated/provisioner/spec/v1.ts";
import type { Input } from "../input.ts";
import type { CloudConfigModule, ModuleInput } from "./module.ts";
import { nameNeedless } from "./refused.ts";
import { addCommand } from "./spec-command.ts";
import { setOption } from "./spec-option.ts";

/** Where NixOS's minion keeps its keys, and what it reads beside its configuration. */
const usualPlace = "/var/lib/salt/pki/minion";
const ownFile = "/var/lib/salt/minion.d/cloud-config.conf";

const unit = "salt-minion.service";

/** `salt_minion`: a minion of Salt. */
export const saltMinion: CloudConfigModule = {
  name: "salt_minion",
  keys: ["salt_minion"],
  rule:
    "services.salt.minion runs. `conf` with `grains` in it becomes a file that it reads beside its own configuration; passwords of " +
    "returners and pillars stand in it, so that it is a secret, and another one starts the service again. A pair of keys is written to `pki_dir` (NixOS: /var/lib/salt/pki/minion), where the minion then looks, the private one as a secret. With `file_client: local` the minion does not run: " +
    "`salt-call --local state.apply` does, once per instance. Names of packages, units and directories are NixOS's own.",
  example: `salt_minion:
  conf:
    master: salt.example.org
  grains:
    role: [edge]
`,
  translate({ config, draft }) {
    const input = config.get("salt_minion");
    if (input === undefined) return;
    if (!input.isMapping()) return input.expected("a mapping with `conf`");
    if (input.entries().length === 0) input.mark("translated");
    for (const key of ["pkg_name", "service_name", "config_dir"]) {
      const part = input.get(key);
      if (part?.text() !== undefined) nameNeedless(part, "NixOS has names of its own for it");
    }
    const conf = readData(input.get("conf"));
    const grains = readData(input.get("grains"));
    const directory = input.get("pki_dir")?.text();
    const ofConf = conf["pki_dir"];
    addKeys(input, draft, directory ?? (typeof ofConf === "string" ? ofConf : usualPlace));
    const data = {
      ...conf,
      // What looks for the keys has to look where they are written.
      ...(directory === undefined ? {} : { pki_dir: directory }),
      ...(Object.keys(grains).length === 0 ? {} : { grains }),
    };
    setOption(draft, "services.salt.minion.enable", true, input);
    if (Object.keys(data).length > 0) addConfiguration(data, input, draft);
    if (conf["file_client"] === "local") applyHere(input, draft);
  },
};

/** JSON is YAML. What the option says of files to include counts before, and then names this one. */
function addConfiguration(
  data: { readonly [key: string]: Json },
  input: Input,
  draft: ModuleInput["draft"],
): void {
  const { default_include: others, ...rest } = data;
  const secret = draft.secret("salt-minion-conf", `${JSON.stringify(rest, null, 2)}\n`);
  draft.spec.files ??= [];
  draft.origin(["files", draft.spec.files.length], input);
  draft.spec.files.push({ path: ownFile, secret, mode: "0600" });
  if (typeof others === "string") {
    const included = { default_include: others, include: [ownFile] };
    setOption(draft, "services.salt.minion.configuration", included, input);
  }
  addToUnit({ credentials: [secret] }, input, draft);
}

function addToUnit(more: Unit, input: Input, draft: ModuleInput["draft"]): void {
  draft.spec.units = { ...draft.spec.units, [unit]: { ...draft.spec.units?.[unit], ...more } };
  draft.origin(["units", unit], input);
}

/** Without a master the minion has nothing to wait for. */
function applyHere(input: Input, draft: ModuleInput["draft"]): void {
  addToUnit({ enable: false }, input, draft);
  const lines = ["salt-call --local state.apply"];
  addCommand(draft, input, { name: "salt-call", when: "late", lines });
}

function readData(input: Input | undefined): { readonly [key: string]: Json } {
  if (input === undefined) return {};
  if (!input.isMapping()) {
    input.expected("a mapping");
    return {};
  }
  input.mark("translated");
  return input.value as { readonly [key: string]: Json };
}

/** As with cloud-init one key alone is not used. */
function addKeys(input: Input, draft: ModuleInput["draft"], place: string): void {
  const pair = [input.get("public_key"), input.get("private_key")] as const;
  const [publicKey, privateKey] = pair.map((key) => key?.text());
  if (publicKey === undefined || privateKey === undefined) {
    for (const key of pair) {
      if (key === undefined) continue;
      key.unsupported({
        code: "cloud-config/unsupported-key",
        message: "one key of the pair alone is not used, as with cloud-init",
        hint: "give `public_key` and `private_key`",
      });
    }
    return;
  }
  const files = [
    { name: "minion.pub", text: publicKey, mode: "0644" },
    { name: "minion.pem", text: privateKey, mode: "0400" },
  ];
  draft.spec.files ??= [];
  for (const [index, { name, text, mode }] of files.entries()) {
    draft.origin(["files", draft.spec.files.length], pair[index] ?? input);
    draft.spec.files.push({
      path: `${place.replace(/\/+$/, "")}/${name}`,
      ...(index === 0 ? { content: text } : { secret: draft.secret("salt-minion-key", text) }),
      mode,
    });
  }
}
