import type { SpecDraft } from "../draft.ts";
import { faultOfPrivateKey, type HostKeyKind, hostKeyKinds, isHostKeyKind } from "../host-key.ts";
import type { Input } from "../input.ts";
import { isPublicKeyLine } from "../public-key-line.ts";
import type { ModuleInput } from "./module.ts";
import { addCommand, quoted } from "./own-command.ts";

/** An entry of `services.openssh.hostKeys`. */
interface HostKey {
  readonly type: HostKeyKind;
  readonly path: string;
  readonly bits?: number;
}

const option = "services.openssh.hostKeys";

/** `ssh_keys`, `ssh_genkeytypes` and `ssh_deletekeys`: which host keys the machine has. */
export function readHostKeys(module: ModuleInput): void {
  const { config } = module;
  const keys = config.get("ssh_keys");
  const given = keys === undefined ? [] : readGiven(keys, module);
  const types = config.get("ssh_genkeytypes");
  if (types !== undefined && given.length === 0) readTypes(types, module.draft);
  else {
    const message = "the keys under `ssh_keys` count, and no others are made";
    types?.unsupported({ code: "cloud-config/overridden", message }, "note");
  }
  readDeletion(module, given);
}

/** `ssh_keys`: private keys are secrets, public ones and certificates are files. */
function readGiven(input: Input, { draft }: ModuleInput): readonly HostKeyKind[] {
  if (!input.isMapping()) {
    input.expected("a mapping of keys by name", "write it as `{ ed25519_private: … }`");
    return [];
  }
  const given: HostKeyKind[] = [];
  const withPublic = new Set<string>();
  for (const [name, value] of input.entries()) {
    const [, kind = "", part] = /^(\w+)_(private|public|certificate)$/.exec(name) ?? [];
    if (!isHostKeyKind(kind) || part === undefined) nameUnknown(kind, value);
    else if (part === "private") {
      if (takePrivate(kind, value, draft)) given.push(kind);
    } else if (part === "public") {
      if (takePublic(`${pathOf(kind)}.pub`, value, draft)) withPublic.add(kind);
    } else takeCertificate(kind, value, draft);
  }
  if (given.length === 0) return [];
  setHostKeys(given.map(hostKey), input, draft);
  derivePublic(
    given.filter((kind) => !withPublic.has(kind)),
    input,
    draft,
  );
  return given;
}

function nameUnknown(kind: string, value: Input): void {
  const isOld = kind === "dsa" || kind === "rsa1";
  value.unsupported({
    code: "cloud-config/unknown-value",
    message: isOld
      ? "OpenSSH has no keys of this kind any more"
      : "there is no host key of this name",
    hint: `known are ${hostKeyKinds.join(", ")}, each with _private, _public and _certificate`,
  });
}

/** sshd would not start with it, or leave it out: it is left out here. */
function nameNoKey(value: Input, message: string): void {
  const hint = "write the key whole, as ssh-keygen makes it without a passphrase";
  value.unsupported({ code: "cloud-config/not-a-host-key", message, hint });
}

function takePrivate(kind: HostKeyKind, value: Input, draft: SpecDraft): boolean {
  const text = value.text();
  if (text === undefined) return false;
  const fault = faultOfPrivateKey(text, kind);
  if (fault !== undefined) {
    nameNoKey(value, `expected a private key of the kind ${kind}, got ${fault}`);
    return false;
  }
  const secret = draft.secret(`ssh-host-${kind}-key`, `${text.trim()}\n`);
  addFile({ path: pathOf(kind), secret, mode: "0600" }, value, draft);
  startAfterwards(secret, value, draft);
  return true;
}

function takePublic(path: string, value: Input, draft: SpecDraft): boolean {
  const text = value.text()?.trim();
  if (text === undefined) return false;
  if (!isPublicKeyLine(text) || /[\r\n]/.test(text)) {
    nameNoKey(value, "expected a public key of one line, got another text");
    return false;
  }
  addFile({ path, content: `${text}\n`, mode: "0644" }, value, draft);
  return true;
}

function takeCertificate(kind: HostKeyKind, value: Input, draft: SpecDraft): void {
  const path = `${pathOf(kind)}-cert.pub`;
  const name = "services.openssh.settings.HostCertificate";
  if (draft.spec.options !== undefined && Object.hasOwn(draft.spec.options, name)) {
    return value.unsupported({
      code: "cloud-config/unsupported-key",
      message: "the first certificate is presented, and no other",
      hint: "add `HostCertificate` lines with services.openssh.extraConfig under `firstlight: options`",
    });
  }
  if (!takePublic(path, value, draft)) return;
  draft.spec.options = { ...draft.spec.options, [name]: path };
  draft.origin(["options", name], value);
}

function addFile(
  file: NonNullable<SpecDraft["spec"]["files"]>[number],
  value: Input,
  draft: SpecDraft,
): void {
  draft.spec.files ??= [];
  draft.origin(["files", draft.spec.files.length], value);
  draft.spec.files.push(file);
}

/** sshd, and what makes keys that are missing, wait for the files; another key restarts sshd. */
function startAfterwards(
  secret: { readonly secretRef: string },
  value: Input,
  draft: SpecDraft,
): void {
  draft.spec.units ??= {};
  const dropIn = "[Unit]\nAfter=firstlight-files.service\n";
  const known = draft.spec.units["sshd.service"]?.credentials ?? [];
  draft.spec.units["sshd.service"] = { dropIn, credentials: [...known, secret] };
  draft.spec.units["sshd-keygen.service"] = { dropIn };
  draft.origin(["units", "sshd.service"], value);
}

/** A private key alone has its public one made from it: programs of the machine read it. */
function derivePublic(kinds: readonly HostKeyKind[], at: Input, draft: SpecDraft): void {
  if (kinds.length === 0) return;
  const lines = kinds.map((kind) => {
    const path = pathOf(kind);
    return `ssh-keygen -y -f ${path} > ${path}.pub && chmod 0644 ${path}.pub`;
  });
  addCommand(draft, { name: "ssh-public-keys", when: "early", lines, at });
}

/** `ssh_genkeytypes`: kinds of keys that NixOS makes where they are missing. */
function readTypes(input: Input, draft: SpecDraft): void {
  const items = typeof input.value === "string" ? [input] : input.items();
  const kinds = items.flatMap((item) => {
    const name = item.text();
    if (name === undefined || isHostKeyKind(name)) return name ?? [];
    nameUnknownType(item);
    return [];
  });
  if (kinds.length > 0) return setHostKeys([...new Set(kinds)].map(hostKey), input, draft);
  if (input.isList() && input.parts().length === 0) {
    const message = "without a host key sshd does not start; NixOS makes its own";
    input.unsupported({ code: "cloud-config/no-meaning", message }, "note");
  }
}

function nameUnknownType(item: Input): void {
  item.unsupported({
    code: "cloud-config/unknown-value",
    message: "there is no host key of this kind",
    hint: `known are ${hostKeyKinds.join(", ")}`,
  });
}

function setHostKeys(keys: readonly HostKey[], at: Input, draft: SpecDraft): void {
  draft.spec.options = { ...draft.spec.options, [option]: keys };
  draft.origin(["options", option], at);
}

function hostKey(type: HostKeyKind): HostKey {
  return { path: pathOf(type), type, ...(type === "rsa" ? { bits: 4096 } : {}) };
}

function pathOf(kind: HostKeyKind): string {
  return `/etc/ssh/ssh_host_${kind}_key`;
}

/**
 * `ssh_deletekeys: true`: what an image brought goes, before the first commit of the instance: on a
 * machine that runs already its keys are its own, and who knows it knows them.
 */
function readDeletion(
  { config, context, draft }: ModuleInput,
  given: readonly HostKeyKind[],
): void {
  const input = config.get("ssh_deletekeys");
  if (input?.boolean() !== true) return;
  const id = JSON.stringify(context.instanceId ?? "");
  const kept = given.map((kind) => `! -path ${quoted(`${pathOf(kind)}*`)} `).join("");
  const lines = [
    `grep -sqF ${quoted(`"instanceId": ${id}`)} /var/lib/firstlight/instance/pinned.json && exit 0`,
    `find /etc/ssh -maxdepth 1 -type f -name 'ssh_host_*key*' ${kept}-delete`,
    "systemctl --no-block try-restart sshd-keygen.service sshd.service",
  ];
  addCommand(draft, { name: "ssh-delete-keys", when: "early", lines, at: input });
  input.mark("agent");
}
