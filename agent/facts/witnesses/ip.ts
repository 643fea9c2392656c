import { mapping, parseJson, textOf } from "./json-values.ts";
import type { FactValue, WitnessTool } from "./witness-tool.ts";

/** Network interfaces with their addresses; those that the kernel only makes up (`linkinfo`) are left out. */
export const ip: WitnessTool = {
  name: "ip",
  args: ["-j", "-d", "link"],
  what: "network",
  parse(stdout) {
    const links = parseJson(stdout);
    if (!Array.isArray(links)) return null;
    const values = new Map<string, FactValue>();
    for (const link of links.slice(0, 1024).map(mapping)) {
      const name = textOf(link["ifname"]);
      if (name === null) return null;
      if (link["link_type"] === "loopback" || link["linkinfo"] !== undefined) continue;
      values.set(`network[${name}].name`, name);
      const address = textOf(link["address"])?.toLowerCase() ?? "";
      if (/^[0-9a-f]{2}(:[0-9a-f]{2}){5,19}$/.test(address) && !/^[0:]+$/.test(address))
        values.set(`network[${name}].mac`, address);
    }
    return { values, whole: ["network"] };
  },
};
