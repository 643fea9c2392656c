import { readFacts } from "#agent/facts/read-facts.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import type { Command } from "../command.ts";
import { askWitness } from "../witness.ts";

/** `firstlight facts` */
export const command: Command = {
  usage: "facts [--root DIR | --witness] [--json]",
  summary: "Say what this machine is, as the kernel tells it.",
  help: "--witness asks systeminformation too, in a process of its own with a deadline.",
  options: { witness: { type: "boolean" } },
  arity: [0, 0],
  async run({ io, flags, json, out, signal }) {
    const asked = flags["witness"] === true;
    if (asked && io.files.root !== "/") {
      throw new Fault("cli/usage", "facts: --witness looks at this machine, and not at a --root");
    }
    const facts = readFacts(io);
    const witness = asked ? await askWitness(io, signal) : undefined;
    if (json) out.data(prettyJson(witness === undefined ? facts : { facts, witness }));
    else out.data(describe(facts) + (witness === undefined ? "" : `\n${prettyJson(witness)}`));
    return 0;
  },
};

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
