import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hostFiles } from "#core/host-files.ts";
import { genericFacts } from "#provisioner/facts/generic-facts.ts";
import { compileProfiles } from "#provisioner/profiles/compile.ts";
import { observe } from "#provisioner/profiles/conditions.ts";
import {
  type DeclaredProfile,
  describeNeeds,
  readDeclared,
} from "#provisioner/profiles/declared.ts";
import type { CompiledProfile } from "#provisioner/profiles/profile.ts";
import type { ProfileFolder } from "#provisioner/profiles/profile-folder.ts";

const root = join(import.meta.dirname, "../..");

/**
 * Every profile that ships. Of those made by hand what each takes over, and its own quirks with their
 * sources; the declared ones are a row each.
 */
export function profilesPage(): string {
  const files = hostFiles(root, () => {});
  const { handMade, folders } = compileProfiles(files, "/hardware-profiles");
  const declared = readDeclared(files, "/hardware-profiles")?.profiles ?? [];
  const rows = handMade.profiles.map(({ id, title, lineage, kernel, status }) => {
    const cells = [
      `[${id}](#${anchor(id)})`,
      title,
      lineage.slice(1).join(", "),
      kernel.min ?? "",
      status.level,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const sections = handMade.profiles.map((profile) => {
    const folder = folders.find(({ file }) => file.id === profile.id);
    return `## ${profile.id}\n\n${sectionOf(profile, folder)}`;
  });
  return `# Hardware profiles

Made by \`npm run docs\`. A profile is a folder below \`hardware-profiles\`: \`profile.yaml\` (which machine
it is, what that needs, from where that is known, and machines that must and must not get it) and
\`module.nix\` where a setting depends on the kernel. \`firstlight profiles match\` says which one a machine
has and why; \`firstlight profiles show ID\` prints one with all that it takes over.

## What a machine shows

\`firstlight facts\` and \`firstlight profiles match\` on a laptop, as \`cli/picture.test.ts\` has them. On the board are a
disk with the drivers on the way to it and a graphics processor with its address as PRIME wants it; a \`?\` in the
margin marks what is not known. Of a profile, \`+\` speaks for it, \`!\` against it, and \`?\` is what the machine does not
tell. A terminal without UTF-8 gets the same in ASCII; there are no colours. Programs take \`--json\`.

\`\`\`text
${readFileSync(join(root, "cli/golden/framework-13.txt"), "utf8")}\`\`\`

## How sure a match is

| word | when | is it used |
|---|---|---|
| \`certain\` | the rule holds, and so does the witness, which is of another origin | yes |
| \`likely\` | one of them holds and the other cannot tell, or the profile has no witness | yes |
| \`disputed\` | they contradict each other, or the processor is none that the profile is for: firmware that lies | no; the best that nothing speaks against is |
| \`generic\` | nothing but the kind of machine is known | yes |
| \`ambiguous\` | profiles fit equally well that have nothing to do with each other | no; as above |
| \`none\` | none fits | |

A profile that stands on \`generic/x86-64\` is for such a processor. A profile that brings what a person has to agree to is
offered ([nixos-hardware.md](nixos-hardware.md#when-it-applies)).

## Profiles made by hand

The declared ones have [a table of their own](#declared-profiles).

| profile | machine | takes over | oldest Linux | proved |
|---|---|---|---|---|
${rows.join("\n")}

${sections.join("\n\n")}

## Declared profiles

Each imports its module of nixos-hardware, where that is pinned, and takes over the rest; no one has tried it.
[nixos-hardware.md](nixos-hardware.md) says how the rules were mined and when they apply. One that needs something is
offered, and never applied without a person.

| profile | machine | takes over | which machines | module | needs |
|---|---|---|---|---|---|
${declared.map(rowOf).join("\n")}
`;
}

function rowOf(profile: DeclaredProfile): string {
  const clauses = profile.match.any.map(({ all }) =>
    observe(all, nothingKnown)
      .map(({ what, expected }) => `${what.replace("dmi.", "")}: ${expected()}`)
      .join("; "),
  );
  const cells = [
    `\`${profile.id}\``,
    profile.title,
    profile.extends,
    `${clauses.join(" · or ")} (${profile.evidence})`,
    `\`${profile.module}\``,
    describeNeeds(profile.needs),
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

/** Of which every condition has its words. */
const nothingKnown = genericFacts(null);

/** What stands in the profile itself; what it takes over stands with the one that it is from. */
function sectionOf(profile: CompiledProfile, folder: ProfileFolder | undefined): string {
  const imports = folder?.file.nixos?.imports ?? [];
  const params = Object.entries(profile.kernel.params).map(([name, value]) =>
    value === true ? `\`${name}\`` : `\`${name}=${value}\``,
  );
  const lines = [
    `${profile.title}.`,
    ...(imports.length === 0
      ? []
      : [
          `Module of nixos-hardware, where it is pinned: ${imports.map((name) => `\`${name}\``).join(", ")}.`,
        ]),
    ...(params.length === 0 ? [] : [`Kernel parameters: ${params.join(", ")}.`]),
  ];
  const quirks = (folder?.file.quirks ?? []).map(
    ({ id, effect, when, applies, sources, reviewBy }) => {
      const ranges = [
        when,
        rangeText("kernel", applies?.kernel),
        rangeText("firmware", applies?.firmware),
      ];
      const known = ranges.filter((text) => text !== undefined);
      const range = known.length === 0 ? "" : ` (${known.join(", ")})`;
      const links = sources.map((source, at) => `[${at + 1}](${source})`).join(" ");
      return `- **${id}**${range}: ${effect} Source: ${links}; to be looked at by ${reviewBy}.`;
    },
  );
  return [lines.join(" "), ...(quirks.length === 0 ? [] : [quirks.join("\n")])].join("\n\n");
}

/** `kernel from 6.2, before 6.6`; nothing of no range. */
function rangeText(
  what: string,
  range: { readonly from?: string; readonly before?: string } | undefined,
): string | undefined {
  if (range === undefined) return undefined;
  const from = range.from === undefined ? [] : [`from ${range.from}`];
  const before = range.before === undefined ? [] : [`before ${range.before}`];
  return `${what} ${[...from, ...before].join(", ")}`;
}

/** As GitHub makes it of a heading. */
function anchor(id: string): string {
  return id.toLowerCase().replaceAll("/", "");
}
