import { prettyJson } from "#core/canonical-json.ts";
import { otherKeys } from "#provisioner/userdata/cloud-config/other-keys.ts";
import { cloudConfigModules } from "#provisioner/userdata/cloud-config/table.ts";
import { translate } from "#provisioner/userdata/translate.ts";

/** What becomes of cloud-config: each module with its rule and an example that is really translated. */
export function cloudConfigPage(): string {
  const modules = cloudConfigModules.map(
    ({ name, keys, rule, example }) => `## ${name}: ${keys.map((key) => `\`${key}\``).join(", ")}

${rule}

\`\`\`yaml
#cloud-config
${example.trimEnd()}
\`\`\`

\`\`\`json
${specOf(example).trimEnd()}
\`\`\``,
  );
  const others = Object.entries(otherKeys).map(([key, way]) => `| \`${key}\` | ${way} |`);
  return `# cloud-config

Made by \`npm run docs\`. Each section shows a piece of cloud-config and the spec that it becomes, as
\`firstlight translate\` prints it. Secrets are left out of it: the spec names them.

The key \`firstlight\` takes a part of the spec itself ([spec.md](spec.md)), for what cloud-config has
no word for. Every other key is named in a finding, with its line and column.

${modules.join("\n\n")}

## What is not translated

| key | do this instead |
|---|---|
${others.join("\n")}
`;
}

function specOf(example: string): string {
  const bytes = Buffer.from(`#cloud-config\n${example}`);
  const context = { hostname: null, publicKeys: [], defaultUser: "nixos", fetched: new Map() };
  const { spec } = translate({ userData: { document: "example", bytes } }, context);
  return prettyJson(spec);
}
