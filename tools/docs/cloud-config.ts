import { prettyJson } from "#core/canonical-json.ts";
import { formatFinding } from "#core/finding.ts";
import type { CloudConfigModule } from "#provisioner/userdata/cloud-config/module.ts";
import { otherKeys } from "#provisioner/userdata/cloud-config/other-keys.ts";
import { cloudConfigModules } from "#provisioner/userdata/cloud-config/table.ts";
import { translate } from "#provisioner/userdata/translate.ts";
import { insteadOf, type UnreadFormat } from "#provisioner/userdata/user-data-format.ts";

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

/** Names of formats as they begin, for the table. */
const beginnings: Readonly<Record<UnreadFormat, string>> = {
  script: "`#!`",
  "cloud-boothook": "`#cloud-boothook`",
  include: "`#include`",
  "include-once": "`#include-once`",
  "cloud-config-archive": "`#cloud-config-archive`",
  "cloud-config-jsonp": "`#cloud-config-jsonp`",
  "part-handler": "`#part-handler`",
  mime: "MIME (`Content-Type:`, `MIME-Version:`)",
  nix: "`#nix`",
};

/** Which formats of user-data are read, and what to do instead of the others. */
function formatSection(): string {
  const rows = (Object.keys(insteadOf) as UnreadFormat[]).map((format) => {
    return `| ${beginnings[format]} | ${insteadOf[format]} |\n`;
  });
  return `## Formats of user-data

Read are \`#cloud-config\` and \`#firstlight\`, plain, compressed with gzip, or sealed to the node as an
[age envelope](secrets.md); an empty document is one that says nothing. \`## template: jinja\` before
either is [rendered by the node](datasources.md) before it is read; \`translate\`, \`validate\` and
\`render\` refuse it, because what it comes to is known on the node alone. The \`source\` of a file, and
the accounts of \`ssh_import_id\`, are read by the node alone as well: to them it is a note, and an error
only where no node could read it. A
document whose first line says nothing is refused, and so is one of another format that cloud-init
knows, with the error \`user-data/unsupported-format\`. Of vendor-data nothing is used, whatever its
format; a finding says so.

| refused | instead |
|---|---|
${rows.join("")}`;
}

/** `docs/cloud-config.md`: each module with its example and what becomes of it, then the other keys. */
export function cloudConfigPage(): string {
  return [
    introduction,
    formatSection(),
    emptySection,
    ...cloudConfigModules.map(section),
    otherSection(),
  ].join("\n");
}

function section({ name, keys, rule, example, fetched = new Map() }: CloudConfigModule): string {
  const text = `#cloud-config\n${example}`;
  const { spec, findings } = translate(
    { userData: { document: "user-data", bytes: Buffer.from(text) } },
    { hostname: null, publicKeys: [], defaultUser: "nixos", fetched },
  );
  const { version: _, users, ...rest } = spec;
  const mentioned = /^(users|user|ssh_authorized_keys|ssh_import_id):/m.test(example)
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

${fence("json", prettyJson({ ...rest, ...mentioned }))}${says}`;
}

function otherSection(): string {
  const rows = Object.entries(otherKeys)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, way]) => `| \`${key}\` | ${way.replaceAll("|", "\\|")} |\n`);
  return `## Keys that are not translated

Each is named in a finding with this hint: a warning, or a note where its value asks for nothing that
is needed (\`package_update\`, \`manage_etc_hosts: false\`, an empty list).

| key | on NixOS |
|---|---|
${rows.join("")}`;
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
