import { factSources } from "#agent/facts/fact-sources.ts";
import { pageOf, schemaSections } from "./schema-page.ts";

const schemaFile = "provisioner/facts/facts.schema.json";

/** What a machine is: every fact, its unit and where it is read. */
export function hardwarePage(): string {
  return pageOf([
    "# What a machine is",
    `Made by \`npm run docs\` from \`${schemaFile}\` and \`agent/facts/fact-sources.ts\`.`,
    ...schemaSections(schemaFile, intro),
    "## What others say",
    report,
    "## Reports of nixos-facter",
    facter,
    "## Where each fact is read",
    "A `*` stands for the name of a device. A name without a slash is another fact.",
    sourcesTable(),
  ]);
}

const intro = `\`firstlight facts\` shows them to a person, \`facts --json\` prints them whole; \`--facts FILE\` of other
commands takes them back. \`facts --schema\` prints their JSON Schema, which is shipped as \`schemas/facts-v1.json\` beside the
program (\`schemas/facts-report-v1.json\` is that of the report below, and refers to it). They are read from the kernel's files in a few milliseconds, without a process and
without a question to a device, but for the registers of a TPM, which root alone may compare with its log.
Sizes are in bytes. Which hardware profile a machine gets by them is in
[hardware-profiles.md](hardware-profiles.md).

Nothing here changes from one boot to the next by itself: a boot that finds the same facts, and everything else
as it was, has nothing to do. So no charge, temperature, free space, load or time is a fact. What udev says of
disks is read from its database, not from the disks: it needs no privilege and cannot hang, and an installer
looks for itself before it writes.`;

const report = `\`firstlight facts --report\` asks systeminformation (in a process of its own), lspci, dmidecode, lsblk, lscpu and ip
what they know, all at once. Each has its deadline, and nobody is waited for longer than two seconds; one that is
missing, fails, hangs, talks without end or says something that cannot be read is named under \`gaps\`, as is every
file of the kernel that was not understood. The facts stay the kernel's: another's word is put beside it under
\`sources\`, and under \`disagreements\` where it differs, or names a disk, a PCI function or a network card that the
other does not know. Nobody's silence is a disagreement, and neither is what systeminformation is known to get wrong:
day and month of the firmware's date in each other's place, \`-\` for a part number, a container's name for the
machine's, a battery that it does not find. Its empty lists without the tool that fills them are gaps. dmidecode
needs root. With \`--json\` all of it is one document (\`agent/facts/facts-report.schema.json\`); the facts in it are those of
\`facts --json\`, byte for byte.`;

const facter = `\`firstlight facts --format facter\` prints the facts as a report of nixos-facter, version 1, for NixOS's
\`hardware.facter.reportPath\`. It holds what those modules read: modules of disks, controllers and graphics, interfaces with
a device behind them, processor, firmware, form factor, virtualisation (QEMU that imitates Hyper-V is QEMU),
Bluetooth, cameras, USB ids. It holds no serial number, no hardware address and no monitor: \`hardware.facter.detected.graphics.enable\` is
to be set where a screen is used.

Wherever facts are taken from a file (\`--facts\`), a report of version 1 or 2 may stand in place of them, also with the
lines of a log around it. What it has no place for is unknown then: the device tree, Secure Boot, the TPM, what lies on
disks, counts of cores, addresses. A report that was cut off, or of another version, is refused.`;

function sourcesTable(): string {
  const rows = Object.entries(factSources).map(
    ([fact, source]) => `| \`${fact}\` | ${source.replaceAll(/(?<![`\w])\/\S+[^\s,]/g, "`$&`")} |`,
  );
  return ["| fact | read from |", "|---|---|", ...rows].join("\n");
}
