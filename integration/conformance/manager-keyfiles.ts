import { spawnSync } from "node:child_process";
import { optionValue } from "./networkd-options.ts";

/** A keyfile by its sections, and each by its keys. */
export type Keyfile = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** A profile as NixOS writes it, and what it is written from. */
export interface WrittenProfile {
  readonly name: string;
  readonly text: string;
}

const psk = "correct horse \\\\ battery";
const wireguardKey = "YAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";

/**
 * The files that NixOS makes of `ensureProfiles.profiles` of a printed module: values as they are, as
 * `lib.generators.toINI` writes them, with each variable as some secret of its kind.
 */
export function writtenProfiles(module: string): readonly WrittenProfile[] {
  const profiles = optionValue(module, "networking.networkmanager.ensureProfiles.profiles");
  return Object.entries(object(profiles)).map(([name, sections]) => {
    const texts = Object.entries(object(sections)).map(([section, settings]) => {
      const secret = section.startsWith("wireguard") ? wireguardKey : psk;
      const lines = Object.entries(object(settings)).map(([key, value]) => {
        const text = String(value).replace(/^\$\{FIRSTLIGHT_[A-Z0-9_]+_[0-9a-f]{8}\}$/, secret);
        if (text.includes("$")) throw new Error(`a variable in ${name}: ${key}=${text}`);
        return `${key}=${text}\n`;
      });
      return `[${section}]\n${lines.join("")}`;
    });
    return { name, text: texts.join("\n") };
  });
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** What NetworkManager's own library makes of a keyfile; throws what it says where it takes it not. */
export function readByNetworkManager(text: string): Keyfile {
  const args = ["--offline", "connection", "modify", "connection.stable-id", "firstlight-test"];
  const { status, stdout, stderr } = spawnSync("nmcli", args, { input: text, encoding: "utf8" });
  if (status !== 0 || stderr !== "") throw new Error(`${stderr.trim()} (${status})\n${text}`);
  return parseKeyfile(stdout);
}

/** Sections and keys of a text. */
export function parseKeyfile(text: string): Keyfile {
  const sections = new Map<string, Map<string, string>>();
  let here = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, section] = /^\[(.*)\]$/.exec(line) ?? [];
    const [, key, value] = /^([^=]+)=(.*)$/.exec(line) ?? [];
    if (section !== undefined) {
      here = new Map();
      sections.set(section, here);
    } else if (key !== undefined) here.set(key, value ?? "");
  }
  return sections;
}

/** What NetworkManager writes down of a setting only where it is another one. */
const defaults: ReadonlySet<string> = new Set([
  ...["wifi.hidden=false", "bridge.stp=true", "bridge.priority=32768", "bridge.ageing-time=300"],
  ...["bridge.vlan-filtering=false", "bridge.forward-delay=15", "bridge.hello-time=2"],
  ...["bridge.max-age=20", "bridge-port.priority=32", "bridge-port.hairpin-mode=false"],
  ...["bridge-port.path-cost=100", "vxlan.learning=true", "ipv4.dhcp-send-hostname=true"],
  ...["ipv6.dhcp-send-hostname=true", "connection.autoconnect-priority=0"],
]);

/** Settings of the first that the second does not have, or has with another value. */
export function lostSettings(written: Keyfile, read: Keyfile): readonly string[] {
  return [...written].flatMap(([section, settings]) =>
    [...settings].flatMap(([key, value]) => {
      const name = `${section}.${key}`;
      const got = read.get(section)?.get(key);
      const wanted = meaning(section, key, value);
      if (got !== undefined && meaning(section, key, got) === wanted) return [];
      return got === undefined && defaults.has(`${name}=${value}`)
        ? []
        : [`${name}=${value} -> ${got ?? "nothing"}`];
    }),
  );
}

/** A value in one of the forms that it may be written in. */
function meaning(section: string, key: string, value: string): string {
  const isHexadecimal = /^(dns|address\d+|route\d+|bssid|ad_actor_system|.*mac-address)$/.test(key);
  if (isHexadecimal) return value.toLowerCase();
  if (section === "wifi" && key === "ssid") return ssidBytes(value);
  if (key.endsWith("_options")) return value.split(",").sort().join(",");
  if (key.startsWith("routing-rule")) return value.replace(/ table 254\b/, "");
  return value;
}

function ssidBytes(value: string): string {
  if (/^([0-9]{1,3};)+$/.test(value)) return value;
  const text = value.replaceAll(/\\\\(;)|\\(\\)/g, "$1$2");
  return [...Buffer.from(text)].map((byte) => `${byte};`).join("");
}
