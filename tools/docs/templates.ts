import { join } from "node:path";
import { hostFiles } from "#core/host-files.ts";
import { loadTemplates } from "#provisioner/render/load-templates.ts";
import { allTemplates, type Template } from "#provisioner/render/templates.ts";
import { schemaPage } from "./schema-page.ts";

/** Every template with its parameters and its example. */
export function templatesPage(): string {
  const files = hostFiles(join(import.meta.dirname, "../.."), () => {});
  const sections = allTemplates(loadTemplates(files, "/templates")).map((template) => {
    const use = { templates: [{ name: template.name, parameters: template.example }] };
    const example = JSON.stringify(use, null, 2);
    const table = schemaPage("x", "", `templates/${template.name}/schema.json`)
      .split("\n")
      .filter((line) => line.startsWith("|"));
    return `## ${template.name}: ${template.title}

${template.description}${severalUses(template)}

${table.join("\n")}

In a spec, or under \`firstlight\` in a cloud-config (JSON is YAML):

\`\`\`yaml
${example}
\`\`\``;
  });
  return `# Templates

Made by \`npm run docs\`. A template is a folder with \`default.nix\` (a function from parameters to a
NixOS module), \`schema.json\` (its parameters) and \`template.yaml\` (title, description, example, and
\`networkRenderer\` where it brings what sets the network up). It is copied into the sources of a system and called with printed values; nothing is ever substituted in its
text.

A template is used once on a machine, but where its section says what tells several uses apart.

Parameters become part of the system, which everybody on the machine can read. A secret is therefore the path of
a file, which the spec writes from a secret:

\`\`\`yaml
secrets:
  k3s-token: a-long-token
files:
  - { path: /var/lib/secrets/k3s-token, mode: "0400", secret: { secretRef: k3s-token } }
templates:
  - name: k3s-agent
    parameters: { serverAddr: "https://10.0.0.10:6443", tokenFile: /var/lib/secrets/k3s-token }
\`\`\`

${sections.join("\n\n")}
`;
}

function severalUses({ apart, schema }: Template): string {
  const [first] = apart;
  if (first === undefined) return "";
  const { type } =
    (schema["properties"] as Readonly<Record<string, { type: string }>>)[first] ?? {};
  return type === "object"
    ? ` It may be used several times with other names under \`${first}\` and all else the same.`
    : ` It may be used several times, each time with another \`${apart.join("` and another `")}\`.`;
}
