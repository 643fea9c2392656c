import { readFacts } from "#agent/facts/read-facts.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { FactsReport } from "#generated/agent/facts/facts-report.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { findAssets } from "../assets.ts";
import { type Command, textFlag } from "../command.ts";
import { thisProgram } from "../this-program.ts";
import { askWitness } from "../witness.ts";

/** `firstlight facts` */
export const command: Command = {
  usage: "facts [--root DIR | --report | --witness] [--format facter] [--schema] [--json]",
  summary: "Say what this machine is, as the kernel tells it.",
  help: [
    "--format facter prints a report of nixos-facter (version 1), for NixOS's hardware.facter.reportPath.",
    "--report asks systeminformation, lspci, dmidecode, lsblk, lscpu and ip too, all at once and for two seconds at",
    "most, and says where they contradict the kernel and what could not be asked; with --json who says what.",
    "--schema prints the JSON Schema of what --json prints, with --report that of the report.",
    "--witness shows what systeminformation measures now: memory, load, temperatures, battery.",
  ].join("\n"),
  options: {
    format: { type: "string" },
    report: { type: "boolean" },
    schema: { type: "boolean" },
    witness: { type: "boolean" },
  },
  arity: [0, 0],
  async run({ io, flags, json, out, signal }) {
    const asked = flags["witness"] === true;
    const wantsReport = flags["report"] === true;
    const format = textFlag(flags, "format");
    if (format !== undefined && format !== "facter")
      throw new Fault("cli/usage", `facts: expected --format facter, not ${format}`);
    if ([asked, wantsReport, format !== undefined].filter(Boolean).length > 1)
      throw new Fault("cli/usage", "facts: expected one of --report, --witness and --format");
    if (flags["schema"] === true) {
      if (asked || format !== undefined)
        throw new Fault("cli/usage", "facts: --schema is that of the facts, or of --report");
      out.data(
        findAssets()
          .schema(wantsReport ? "facts-report" : "facts")
          .trimEnd(),
      );
      return 0;
    }
    if ((asked || wantsReport) && io.files.root !== "/") {
      const flag = asked ? "--witness" : "--report";
      throw new Fault("cli/usage", `facts: ${flag} looks at this machine, and not at a --root`);
    }
    if (wantsReport) {
      const { readFactsReport } = await import("#agent/facts/report.ts");
      const report = await readFactsReport(io, { argv: thisProgram("witness"), signal });
      if (json) out.data(prettyJson(report));
      else out.data(`${describe(report.facts)}\n${describeReport(report)}`);
      return 0;
    }
    const facts = readFacts(io);
    if (format !== undefined) {
      const { facterFromFacts } = await import("#provisioner/facts/to-facter.ts");
      out.data(JSON.stringify(facterFromFacts(facts), null, 2));
      return 0;
    }
    const witness = asked ? await askWitness(io, signal) : undefined;
    if (json) out.data(prettyJson(witness === undefined ? facts : { facts, witness }));
    else out.data(describe(facts) + (witness === undefined ? "" : `\n${prettyJson(witness)}`));
    return 0;
  },
};

/** Where readers differ, and who said nothing. */
function describeReport({ disagreements, gaps, ms }: FactsReport): string {
  const differences = disagreements.map(({ fact, said }) => {
    const words = said.map(({ by, value }) => `${by} says ${value ?? "that there is none"}`);
    return `  ${fact}: ${words.join(", ")}`;
  });
  return [
    "",
    disagreements.length === 0 ? "nobody contradicts the kernel" : "contradicted:",
    ...differences,
    ...(gaps.length === 0 ? [] : ["not asked, or without an answer:"]),
    ...gaps.map(({ by, what, message }) => `  ${by} (${what}): ${message}`),
    `asked for ${ms["total"]} ms`,
  ].join("\n");
}

function describe(facts: Facts): string {
  const { dmi, cpu, deviceTree } = facts;
  const size = (bytes: number | null) =>
    bytes === null ? "unknown" : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const rows: readonly (readonly [string, string | null | undefined])[] = [
    [
      "machine",
      dmi === null
        ? deviceTree?.model
        : [dmi.sysVendor, dmi.productName].filter((text) => text !== null).join(" "),
    ],
    [
      "board",
      dmi === null
        ? deviceTree?.compatible.join(" ")
        : [dmi.boardVendor, dmi.boardName].filter((text) => text !== null).join(" "),
    ],
    ["firmware", [facts.firmware.type, dmi?.biosVersion].filter((text) => text != null).join(" ")],
    [
      "processor",
      `${cpu.name ?? "unknown"} (${cpu.architecture ?? "unknown"}, ${cpu.threads ?? "?"} threads)`,
    ],
    ["memory", size(facts.memoryBytes)],
    ["runs in", facts.virtualisation ?? "unknown"],
    [
      "disks",
      (facts.blockDevices ?? []).map((disk) => `${disk.name} ${size(disk.sizeBytes)}`).join(", "),
    ],
    [
      "network",
      (facts.network ?? [])
        .filter((each) => each.physical)
        .map((each) => `${each.name} ${each.driver ?? ""}`.trim())
        .join(", "),
    ],
    ["tpm", facts.tpm?.version ?? "none"],
  ];
  return rows
    .map(
      ([name, text]) =>
        `${name.padEnd(10)} ${text === undefined || text === null || text === "" ? "unknown" : text}`,
    )
    .join("\n");
}
