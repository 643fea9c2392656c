import { chassisType } from "#provisioner/facts/chassis.ts";
import { isoDate } from "../dmi.ts";
import type { FactValue, WitnessTool } from "./witness-tool.ts";

/** Lines of a table by the fact that they tell; numbers of one machine are not among them. */
const lines: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "BIOS Information": {
    Vendor: "biosVendor",
    Version: "biosVersion",
    "Release Date": "biosDate",
  },
  "System Information": {
    Manufacturer: "sysVendor",
    "Product Name": "productName",
    Version: "productVersion",
    "SKU Number": "productSku",
    Family: "productFamily",
  },
  "Base Board Information": {
    Manufacturer: "boardVendor",
    "Product Name": "boardName",
    Version: "boardVersion",
  },
  "Chassis Information": { Manufacturer: "chassisVendor", Type: "chassisType" },
};

/** The tables of SMBIOS as root may read them; of several tables of a kind the first, as the kernel does. */
export const dmidecode: WitnessTool = {
  name: "dmidecode",
  args: ["-q", "-t", "0,1,2,3"],
  what: "dmi",
  parse(stdout) {
    const values = new Map<string, FactValue>();
    const seen = new Set<string>();
    let table: Readonly<Record<string, string>> | undefined;
    for (const line of stdout.split("\n")) {
      const title = line.trimEnd();
      if (/^\S/.test(line)) {
        table = seen.has(title) ? undefined : lines[title];
        if (table !== undefined) seen.add(title);
      }
      const [, key = "", value = ""] = /^\t([^\t:]+): (.*)$/.exec(line) ?? [];
      const fact = table?.[key];
      const told = fact === undefined ? null : factOf(fact, value.trim());
      if (told !== null) values.set(`dmi.${fact}`, told);
    }
    return seen.size === 0 ? null : { values, whole: [] };
  },
};

/** Its words for what is not told say nothing. */
function factOf(fact: string, text: string): FactValue {
  if (/^(|Not (Specified|Present|Provided)|<.*>)$/.test(text)) return null;
  if (fact === "biosDate") return isoDate(text);
  if (fact === "chassisType") return chassisType(text);
  return text.slice(0, 256);
}
