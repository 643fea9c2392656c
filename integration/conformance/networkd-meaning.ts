import { isIP } from "node:net";

/** A file of systemd: its name and its text. */
export interface UnitFile {
  readonly name: string;
  readonly text: string;
}

/**
 * What files of systemd mean for each interface, as short statements: `network.DHCP=yes`,
 * `route.Gateway=192.0.2.1 Metric=3`. An interface is known by the name that it has in the end. Two
 * ways to say one thing give one statement:
 *
 * - truth values in any spelling; what is also so without being said (`DHCP=no`);
 * - addresses as settings or as sections; servers and domains in one line or in several, in any order;
 * - a default route by its destination, or by its gateway alone;
 * - hardware address and MTU of an interface that is made, in its .netdev or in its .network;
 * - one address as it is, or as the network of that address alone; seconds with their unit or without;
 * - the name that a device is to have, by `Name` in its .link or beside `MACAddress` in its .network;
 * - that what is made of a device is not taken for it, by that name beside its address or by `Kind`.
 */
export function meaningOf(files: readonly UnitFile[]): ReadonlyMap<string, ReadonlySet<string>> {
  const renames = new Map<string, string>();
  for (const { name, text } of files) {
    const given = /\[Link\][^[]*^Name=(.*)$/m.exec(name.endsWith(".link") ? text : "")?.[1];
    if (given !== undefined) renames.set(stem(name), given);
  }
  const meaning = new Map<string, Set<string>>();
  for (const { name, text } of files) {
    const kind = name.slice(name.lastIndexOf(".") + 1);
    const sections = parseUnit(text);
    const device = renames.get(stem(name)) ?? nameIn(sections, kind) ?? plainStem(name);
    const said = meaning.get(device) ?? new Set();
    meaning.set(device, said);
    for (const statement of sections.flatMap((each) => statements(each, kind, device)))
      said.add(statement);
  }
  return meaning;
}

interface ParsedSection {
  readonly name: string;
  readonly settings: readonly (readonly [key: string, value: string])[];
}

/** Sections and settings of a file, in order. */
export function parseUnit(text: string): readonly ParsedSection[] {
  const sections: { name: string; settings: (readonly [string, string])[] }[] = [];
  for (const line of text.split("\n")) {
    const [, header] = /^\[(.+)\]$/.exec(line) ?? [];
    const [, key, value] = /^([A-Za-z0-9]+)=(.*)$/.exec(line) ?? [];
    if (header !== undefined) sections.push({ name: header, settings: [] });
    else if (key !== undefined && value !== undefined) sections.at(-1)?.settings.push([key, value]);
    else if (line !== "") throw new Error(`no line of a unit: ${line}`);
  }
  return sections;
}

function stem(name: string): string {
  return name.slice(0, name.lastIndexOf("."));
}

function plainStem(name: string): string {
  return stem(name).replace(/^10-(cloud-init-)?/, "");
}

function nameIn(sections: readonly ParsedSection[], kind: string): string | undefined {
  const place = kind === "netdev" ? "NetDev" : "Match";
  const match = sections.find(({ name }) => name === place)?.settings ?? [];
  return match.find(([key]) => key === "Name")?.[1].split(" ")[0];
}

function statements(section: ParsedSection, kind: string, device: string): readonly string[] {
  const { name, settings } = section;
  switch (name) {
    case "Route":
    case "RoutingPolicyRule": {
      const parts = settings
        .filter((setting) => !isDefault(setting, settings))
        .map(shown)
        .sort();
      return [`${name}: ${parts.join(" ")}`];
    }
    case "Match":
      return settings.flatMap(([key, value]) => {
        if (key === "Name" && value.split(" ").includes(device)) {
          const byMac = settings.some(([other]) => other === "MACAddress");
          return byMac ? [`named ${device}`, "a device"] : [];
        }
        if (key === "Kind" && value.startsWith("!")) return kind === "link" ? [] : ["a device"];
        return kind === "link" ? [] : [`found by ${key}=${value.toLowerCase()}`];
      });
    case "Address":
      return [`Address: ${settings.map(shown).sort().join(" ")}`];
    default:
      return settings.flatMap(([key, value]) => ofSetting(section.name, key, value, kind));
  }
}

function ofSetting(section: string, key: string, value: string, kind: string): readonly string[] {
  if (kind === "link")
    return key === "Name" ? [`named ${value}`] : [`Link of udev: ${key}=${value}`];
  if (key === "DHCP" && value === "no") return [];
  if (key === "Address" && section === "Network") return [`Address: Address=${canonical(value)}`];
  if (key === "DNS" || key === "Domains") {
    return value.split(" ").map((each) => `${key}: ${canonical(each)}`);
  }
  if (key === "MACAddress" || key === "MTUBytes") return [`${key}=${value}`];
  return [`${section}: ${shown([key, value])}`];
}

function shown([key, value]: readonly [string, string]): string {
  const seconds = key.endsWith("Sec") ? value.replace(/^(\d+)$/, "$1s") : value;
  const plain = key === "From" || key === "To" ? seconds.replace(/\/(32|128)$/, "") : seconds;
  return `${key}=${canonical(plain)}`;
}

/** The default route of the gateway's family. */
function isDefault(
  [key, value]: readonly [string, string],
  all: readonly (readonly [string, string])[],
): boolean {
  if (key !== "Destination") return false;
  const gateway = all.find(([other]) => other === "Gateway")?.[1];
  return gateway !== undefined && value === (isIP(gateway) === 6 ? "::/0" : "0.0.0.0/0");
}

function canonical(value: string): string {
  if (/^(true|yes|on)$/.test(value)) return "yes";
  if (/^(false|no|off)$/.test(value)) return "no";
  return isIP(value.split("/")[0] ?? "") === 6 ? value.toLowerCase() : value;
}
