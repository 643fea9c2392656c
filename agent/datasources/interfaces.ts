import type { Files } from "#core/io.ts";

const directory = "/sys/class/net";
const mostInterfaces = 1024;
const maxBytes = 256;

/**
 * Names of the network interfaces that have hardware behind them (also one of the hypervisor) by their
 * MAC addresses, in lower case. Two may share an address: then the first by name counts.
 */
export function listInterfaces(files: Files): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const name of files.list(directory).slice(0, mostInterfaces)) {
    if (files.stat(`${directory}/${name}/device`) === undefined) continue;
    const mac = files.readText(`${directory}/${name}/address`, { maxBytes })?.trim().toLowerCase();
    if (mac !== undefined && mac !== "" && !names.has(mac)) names.set(mac, name);
  }
  return names;
}
