import { mapping, parseJson, textOf } from "./json-values.ts";
import type { FactValue, WitnessTool } from "./witness-tool.ts";

/** Network interfaces with their addresses; those of a kind (`linkinfo`), mostly made up and coming and going, are not held against the facts. */
export const ip: WitnessTool = {
  name: "ip",
  args: ["-j", "-d", "link"],
  what: "network",
  parse(stdout) {
    const links = parseJson(stdout);
    if (!Array.isArray(links)) return null;
    const values = new Map<string, FactValue>();
    const uncounted = new Set<string>();
    for (const link of links.slice(0, 1024).map(mapping)) {
      const name = textOf(link["ifname"]);
      if (name === null) return null;
      if (link["link_type"] === "loopback") continue;
      if (link["linkinfo"] !== undefined) {
        uncounted.add(`network[${name}].name`);
        continue;
      }
      values.set(`network[${name}].name`, name);
      const address = textOf(link["address"])?.toLowerCase() ?? "";
      if (/^[0-9a-f]{2}(:[0-9a-f]{2}){5,19}$/.test(address) && !/^[0:]+$/.test(address))
        values.set(`network[${name}].mac`, address);
    }
    return { values, whole: ["network"], uncounted };
  },
};
