import type { Json } from "#core/canonical-json.ts";
import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import type { CloudConfigModule } from "./module.ts";
import { nameNeedless } from "./refused.ts";
import { addCommand, addPackages, shellLine } from "./spec-command.ts";

const folder = "/etc/puppetlabs/puppet";
const ofPackage = "Puppet comes from the pinned nixpkgs; drop it";
const unit = `[Unit]
Description=Agent of Puppet
Wants=network-online.target
After=network-online.target firstlight-files.service

[Service]
Environment=PATH=/run/wrappers/bin:/run/current-system/sw/bin
ExecStart=/run/current-system/sw/bin/puppet agent --no-daemonize
Restart=on-failure
RestartSec=30
`;

/** `puppet`: an agent of Puppet. */
export const puppet: CloudConfigModule = {
  name: "puppet",
  keys: ["puppet"],
  rule:
    "NixOS has no module for it: the program is that of nixpkgs, the agent a unit, puppet.conf and csr_attributes.yaml are files. " +
    "Both are secrets, which root and its group read, since passwords may stand in them; the certificate of the authority is none. `exec` runs the agent once per instance. How it is installed elsewhere has no meaning. `%f` and `%i` in `conf` are filled in by nobody, " +
    "and a warning says so. Manifests that install packages or write under /etc work against NixOS.",
  example: `puppet:
  conf:
    agent:
      server: puppet.example.org
  exec: true
  exec_args: [--test]
`,
  translate({ config, draft }) {
    const input = config.get("puppet");
    if (input === undefined) return;
    if (!input.isMapping()) return input.expected("a mapping with `conf`");
    if (input.entries().length === 0) return nameNeedless(input, "it says nothing");
    for (const key of ["install_type", "collection", "aio_install_url", "package_name"]) {
      const part = input.get(key);
      if (part?.text() !== undefined) nameNeedless(part, ofPackage);
    }
    const cleanup = input.get("cleanup");
    if (cleanup?.boolean() !== undefined) nameNeedless(cleanup, ofPackage);
    refuseVersion(input.get("version"));
    if (input.get("install")?.boolean() !== false) addPackages(draft, input, ["puppet"]);
    addConf(input, draft);
    addAttributes(input, draft);
    addRuns(input, draft);
  },
};

function refuseVersion(input: Input | undefined): void {
  if (input?.text() === undefined) return;
  input.unsupported({
    code: "cloud-config/package-version",
    message: "the version of a package is that of the pinned nixpkgs",
    hint: "pin another nixpkgs to get another version",
  });
}

/** Sections with their settings, and the certificate of the authority as a file beside them. */
function addConf(input: Input, draft: SpecDraft): void {
  const path = readPath(input.get("conf_file"), `${folder}/puppet.conf`);
  const ssl = readPath(input.get("ssl_dir"), `${folder}/ssl`);
  const conf = input.get("conf");
  if (conf === undefined) return;
  if (!conf.isMapping()) return conf.expected("a mapping of sections");
  const sections = conf.entries().flatMap(([name, section]) => {
    if (name === "ca_cert") {
      addFile(draft, section, { path: `${ssl}/certs/ca.pem`, content: section.text() });
      return [];
    }
    const text = readSection(section);
    return text === undefined ? [] : [`[${name}]\n${text}`];
  });
  if (sections.length > 0) {
    addSecretFile(draft, conf, { path, name: "puppet-conf", text: sections.join("\n") });
  }
}

function readSection(section: Input): string | undefined {
  if (!section.isMapping()) {
    section.expected("a mapping of settings");
    return undefined;
  }
  if (section.entries().length === 0) section.mark("translated");
  return section
    .entries()
    .map(([key, value]) => {
      const text =
        value.value === true || value.value === false ? readFlag(value) : value.looseText();
      if (text !== undefined && /%[fi]/.test(text)) warnOfNames(value);
      return text === undefined ? "" : `${key}=${text.replace(/[\r\n]+/g, " ")}\n`;
    })
    .join("");
}

function readFlag(input: Input): string {
  input.mark("translated");
  return String(input.value);
}

function warnOfNames(input: Input): void {
  input.unsupported({
    code: "cloud-config/unsupported-key",
    message: "`%f` and `%i` are not filled in: they stand in the file as they are",
    hint: "leave the setting out: Puppet takes the name of the machine, which `fqdn` gives",
  });
}

/** JSON is YAML. */
function addAttributes(input: Input, draft: SpecDraft): void {
  const path = readPath(input.get("csr_attributes_path"), `${folder}/csr_attributes.yaml`);
  const attributes = input.get("csr_attributes");
  if (attributes === undefined) return;
  if (!attributes.isMapping()) return attributes.expected("a mapping");
  attributes.mark("translated");
  const text = `${JSON.stringify(attributes.value as Json, null, 2)}\n`;
  addSecretFile(draft, attributes, { path, name: "puppet-csr-attributes", text });
}

function addSecretFile(
  draft: SpecDraft,
  input: Input,
  { path, name, text }: { readonly path: string; readonly name: string; readonly text: string },
): void {
  const secret = draft.secret(name, text);
  draft.spec.files ??= [];
  draft.origin(["files", draft.spec.files.length], input);
  draft.spec.files.push({ path, secret, mode: "0640" });
}

function addRuns(input: Input, draft: SpecDraft): void {
  const args = input.get("exec_args")?.oneOrMoreTexts() ?? ["--test"];
  const exec = input.get("exec");
  if (exec?.boolean() === true) {
    const lines = [shellLine(["puppet", "agent", ...args])];
    addCommand(draft, exec, { name: "puppet-agent", when: "late", lines });
  }
  if (input.get("start_service")?.boolean() === false) return;
  const name = "puppet.service";
  draft.spec.units = {
    ...draft.spec.units,
    [name]: { text: unit, wantedBy: ["multi-user.target"] },
  };
  draft.origin(["units", name], input);
}

function readPath(input: Input | undefined, usual: string): string {
  const path = input?.text();
  if (input === undefined || path === undefined) return usual;
  if (path.startsWith("/")) return path.replace(/(?<=.)\/+$/, "");
  input.expected("an absolute path", `begin it with \`/\`, as in \`${usual}\``, "a relative one");
  return usual;
}

function addFile(
  draft: SpecDraft,
  input: Input,
  { path, content }: { readonly path: string; readonly content: string | undefined },
): void {
  if (content === undefined) return;
  draft.spec.files ??= [];
  draft.origin(["files", draft.spec.files.length], input);
  draft.spec.files.push({ path, content, mode: "0644" });
}
