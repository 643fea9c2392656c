import { prettyJson } from "#core/canonical-json.ts";
import { formatFinding } from "#core/finding.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { credentialsOf, fileOf, tryRender } from "#provisioner/render/try-render.ts";
import type { CloudConfigModule } from "#provisioner/userdata/cloud-config/module.ts";
import { otherKeys } from "#provisioner/userdata/cloud-config/other-keys.ts";
import { cloudConfigModules } from "#provisioner/userdata/cloud-config/table.ts";
import { translate } from "#provisioner/userdata/translate.ts";

const introduction = `# cloud-config

User-data that begins with \`#cloud-config\` is translated to the [spec](spec.md). YAML is read as
cloud-init reads it (YAML 1.1: \`0644\` is octal, \`no\` is false). Each value is translated, done by the
agent, or named in a finding with its line and column; nothing is dropped without a word.
\`firstlight translate FILE\` shows what becomes of a document, \`firstlight validate FILE\` what is wrong
with it.

The key \`firstlight\` holds a part of the spec itself, for what cloud-config has no word for: mappings
are merged, lists are added to, everything else replaces.

The examples below were translated with the default user \`nixos\`, whose entry is left out where nothing
is said of it. Secrets stand in the spec by name only.

This page is made from \`provisioner/userdata/cloud-config/\` by \`npm run docs\`.
`;

const emptySection = `## Empty values

A key, or an entry of a list, whose value is null or an empty text counts as if it were not there, with
the warning \`user-data/no-value\`. Where cloud-init takes it for something, firstlight does too, and the
finding says what: \`users:\` lists nobody, \`disable_root:\`, \`allow_public_ssh_keys:\` and \`lock_passwd:\` are
\`false\`, \`sudo:\` and \`doas:\` are no rules, \`ntp:\` switches time synchronisation on, a group without a
value has no members. An entry of \`users\` or \`write_files\` whose \`name\` or \`path\` is empty is left out.
None of it is an error.
`;

const formatSection = `## Formats of user-data

All formats that cloud-init knows are read but part-handlers, and \`#firstlight\` and modules of NixOS beside
them: [user-data.md](user-data.md) says what becomes of each, how several parts are merged, and what is made of
vendor-data. Any of them may be sealed to the node as an [age envelope](secrets.md), or
[signed](signed-user-data.md) behind a first line \`#firstlight-signed\`.
\`## template: jinja\` before one is [rendered by the node](datasources.md) before it is read;
\`translate\`, \`validate\` and \`render\` refuse it, because what it comes to is known on the node
alone. What a document names by address is read by the node alone as well: to them it is a note or a
warning, and an error only where no node could read it. A document whose first line says nothing is
refused (\`user-data/unknown-format\`).
`;

const coverageSection = `## What became of a document

\`firstlight translate --json FILE\` counts each leaf, a value without values in it, in \`coverage\`: \`translated\` stands in the
spec, \`agent\` is done on the node without a word in the spec, \`unsupported\` has no effect, and a finding at it or above it
says why: an error or a warning where something is lost, a note where nothing is. Keys of a module that NixOS has
nothing for are refused below with the way to have the same.
`;

/** `docs/cloud-config.md`: each module with its example and what becomes of it, then the other keys. */
export function cloudConfigPage(): string {
  return [
    introduction,
    formatSection,
    emptySection,
    coverageSection,
    ...cloudConfigModules.map(section),
    otherSection(),
  ].join("\n");
}

function section({ name, keys, rule, example, fetched = new Map() }: CloudConfigModule): string {
  if (keys.length === 0) return `## ${name}\n\nKeys: none\n\n${wrap(rule)}\n`;
  const text = `#cloud-config\n${example}`;
  const { spec, findings } = translate(
    { userData: { document: "user-data", bytes: Buffer.from(text) } },
    { hostname: null, publicKeys: [], defaultUser: "nixos", fetched },
  );
  const { version: _, users, ...rest } = spec;
  const mentioned =
    users !== undefined && /^(users|user|ssh_authorized_keys|ssh_import_id):/m.test(example)
      ? { users }
      : {};
  const says =
    findings.length === 0
      ? ""
      : `\nIt says:\n\n${fence("text", lines(findings.map(formatFinding)))}`;
  return `## ${name}

Keys: ${keys.map((key) => `\`${key}\``).join(", ")}

${wrap(rule)}

${fence("yaml", text)}
becomes

${fence("json", prettyJson({ ...rest, ...mentioned }))}${rendered({ ...rest, ...mentioned })}${says}`;
}

/** What of a spec comes to stand in the system, as Nix; nothing where it is the agent's alone. */
function rendered(spec: Omit<Spec, "version">): string {
  const credentials = credentialsOf({ ...spec, version: 1 });
  const text = fileOf(tryRender(spec, { credentials }), "firstlight/instance.nix");
  const [, inner = ""] = /^\{[^{]*\}:\n\{\n(.*)^\}/ms.exec(text) ?? [];
  const body = inner.replace(/^ +(?:services\.)?firstlight\.enable = true;\n/m, "");
  if (body.trim() === "") return "";
  const lines = body
    .replace(/^ {2}/gm, "")
    .trim()
    .replace(/^systemd\.services\.(firstlight-[a-z-]+) = \{\n.*?^\};$/gms, ownUnit)
    .replace(/^systemd\.services = \{\n.*?^\};$/gms, (block) => {
      const units = [...block.matchAll(/^ {2}(firstlight-[a-z-]+) = \{/gm)];
      return units.length === 0
        ? block
        : units.map(([, unit = ""]) => ownUnit("", unit)).join("\n");
    });
  return `\nand in the system\n\n${fence("nix", `${lines}\n`)}`;
}

function otherSection(): string {
  const rows = Object.entries(otherKeys)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, way]) => `| \`${key}\` | ${way.replaceAll("|", "\\|")} |\n`);
  return `## Keys that are not translated

Each is named in a finding with this hint: a warning, or a note where its value asks for nothing that
is needed (\`output\`, \`no_ssh_fingerprints: true\`, an empty list).

| key | on NixOS |
|---|---|
${rows.join("")}`;
}

/** Scripts that are firstlight's own, and say nothing of the document. */
function ownUnit(_block: string, unit: string): string {
  return `# systemd.services.${unit}: a unit of firstlight's own`;
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}

function fence(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\`\`\`\n`;
}

/** Lines of at most 100 characters. */
function wrap(text: string): string {
  let line = "";
  const wrapped: string[] = [];
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + word.length >= 100) {
      wrapped.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...wrapped, line].join("\n");
}
