import { factSources } from "#agent/facts/fact-sources.ts";
import { pageOf, schemaSections } from "./schema-page.ts";

const schemaFile = "provisioner/facts/facts.schema.json";

/** What a machine is: every fact, its unit and where it is read. */
export function hardwarePage(): string {
  return pageOf([
    "# What a machine is",
    `Made by \`npm run docs\` from \`${schemaFile}\` and \`agent/facts/fact-sources.ts\`.`,
    ...schemaSections(schemaFile, intro),
    "## Where each fact is read",
    "A `*` stands for the name of a device. A name without a slash is another fact.",
    sourcesTable(),
  ]);
}

const intro = `\`firstlight facts\` shows them to a person, \`facts --json\` prints them whole; \`--facts FILE\` of other
commands takes them back. They are read from the kernel's files in a few milliseconds, without a process and
without a question to a device, but for the registers of a TPM, which root alone may compare with its log.
Sizes are in bytes. Which hardware profile a machine gets by them is in
[hardware-profiles.md](hardware-profiles.md).

Nothing here changes from one boot to the next by itself: a boot that finds the same facts, and everything else
as it was, has nothing to do. So no charge, temperature, free space, load or time is a fact. What udev says of
disks is read from its database, not from the disks: it needs no privilege and cannot hang, and an installer
looks for itself before it writes.`;

function sourcesTable(): string {
  const rows = Object.entries(factSources).map(
    ([fact, source]) => `| \`${fact}\` | ${source.replaceAll(/(?<![`\w])\/\S+[^\s,]/g, "`$&`")} |`,
  );
  return ["| fact | read from |", "|---|---|", ...rows].join("\n");
}
