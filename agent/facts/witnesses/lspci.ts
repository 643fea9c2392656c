import type { FactValue, WitnessTool } from "./witness-tool.ts";

/** PCI functions in the form that pciutils makes for programs: a paragraph each, ids as numbers. */
export const lspci: WitnessTool = {
  name: "lspci",
  args: ["-Dvmmnk"],
  what: "pci",
  parse(stdout) {
    const values = new Map<string, FactValue>();
    for (const paragraph of stdout.split(/\n\s*\n/)) {
      if (paragraph.trim() === "") continue;
      const lines = new Map(
        [...paragraph.matchAll(/^(\w+):\t(.*)$/gm)].map(([, key = "", value = ""]) => [key, value]),
      );
      const slot = lines.get("Slot") ?? "";
      const vendor = id(lines.get("Vendor"));
      if (!/^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(slot) || vendor === null)
        return null;
      const say = (key: string, value: FactValue) => values.set(`pci[${slot}].${key}`, value);
      say("slot", slot);
      say("vendor", vendor);
      say("device", id(lines.get("Device")));
      say("driver", lines.get("Driver") ?? null);
      // Where there are none, nothing is said.
      const subsystemVendor = id(lines.get("SVendor"));
      const subsystemDevice = id(lines.get("SDevice"));
      if (subsystemVendor !== null) say("subsystemVendor", subsystemVendor);
      if (subsystemDevice !== null) say("subsystemDevice", subsystemDevice);
      const kind = id(lines.get("Class"));
      const way = /^[0-9a-f]{2}$/.exec(lines.get("ProgIf") ?? "00")?.[0];
      if (kind !== null && way !== undefined) say("class", `${kind}${way}`);
    }
    return { values, whole: ["pci"] };
  },
};

function id(text: string | undefined): string | null {
  return /^[0-9a-f]{4}$/.test(text ?? "") ? (text ?? null) : null;
}
