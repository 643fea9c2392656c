import type { Ethernet, Spec } from "#generated/provisioner/spec/v1.ts";
import { attrs, bind, bool, int, list, type NixExpr, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign, type Concern, winning } from "./assignment.ts";

/** One section of a systemd.network file: its name and its settings in order, a key may come again. */
interface Section {
  readonly name: string;
  readonly settings: readonly (readonly [string, string])[];
}

/** A file of systemd-networkd. */
export interface NetworkdFile {
  /** File name: `10-lan.network`. */
  readonly name: string;
  readonly content: string;
}

/** The network of the spec as options of systemd-networkd; nothing where the spec says nothing. */
export function renderNetwork(concern: Concern): readonly Assignment[] {
  const ethernets = Object.entries(concern.spec.network?.ethernets ?? {});
  if (ethernets.length === 0) return [];
  return [
    assign(["networking", "useNetworkd"], winning(concern.base, bool(true)), ["network"]),
    assign(["networking", "useDHCP"], winning(concern.base, bool(false)), ["network"]),
    ...ethernets.flatMap(([name, ethernet]) => {
      const from = ["network", "ethernets", name];
      const link = linkSections(name, ethernet);
      return [
        assign(
          ["systemd", "network", "networks", `10-${name}`],
          sectionsAsOptions(networkSections(name, ethernet)),
          from,
        ),
        ...(link === undefined
          ? []
          : [assign(["systemd", "network", "links", `10-${name}`], sectionsAsOptions(link), from)]),
      ];
    }),
  ];
}

/** The same network as files for /run/systemd/network, in force before anything is built. */
export function networkdFiles(spec: Spec): readonly NetworkdFile[] {
  return Object.entries(spec.network?.ethernets ?? {}).flatMap(([name, ethernet]) => {
    const link = linkSections(name, ethernet);
    return [
      { name: `10-${name}.network`, content: sectionsAsText(networkSections(name, ethernet)) },
      ...(link === undefined ? [] : [{ name: `10-${name}.link`, content: sectionsAsText(link) }]),
    ];
  });
}

function networkSections(name: string, ethernet: Ethernet): readonly Section[] {
  const {
    dhcp4 = false,
    dhcp6 = false,
    acceptRa,
    addresses = [],
    routes = [],
    nameservers = [],
    search = [],
  } = ethernet;
  const dhcp = dhcp4 && dhcp6 ? "yes" : dhcp4 ? "ipv4" : dhcp6 ? "ipv6" : "no";
  return [
    { name: "Match", settings: matchSettings(name, ethernet, ethernet.setName) },
    {
      name: "Network",
      settings: [
        ["DHCP", dhcp],
        ...(acceptRa === undefined ? [] : [["IPv6AcceptRA", yesNo(acceptRa)] as const]),
        ...addresses.map((address) => ["Address", address] as const),
        ...nameservers.map((server) => ["DNS", server] as const),
        ...(search.length === 0 ? [] : [["Domains", search.join(" ")] as const]),
      ],
    },
    ...linkSection(ethernet),
    ...routes.map((route) => ({
      name: "Route",
      settings: [
        ...(route.to === "default"
          ? defaultRoute(route.via)
          : [["Destination", route.to] as const]),
        ...(route.via === undefined ? [] : [["Gateway", route.via] as const]),
        ...(route.metric === undefined ? [] : [["Metric", String(route.metric)] as const]),
        ...(route.onLink === undefined ? [] : [["GatewayOnLink", yesNo(route.onLink)] as const]),
      ],
    })),
  ];
}

/** A default route is one without a destination; without a gateway the family must be said. */
function defaultRoute(via: string | undefined): readonly (readonly [string, string])[] {
  return via === undefined ? [["Destination", "0.0.0.0/0"]] : [];
}

function linkSection({ mtu, optional }: Ethernet): readonly Section[] {
  const settings = [
    ...(mtu === undefined ? [] : [["MTUBytes", String(mtu)] as const]),
    ...(optional === undefined ? [] : [["RequiredForOnline", yesNo(!optional)] as const]),
  ];
  return settings.length === 0 ? [] : [{ name: "Link", settings }];
}

/** A .link file, only where the interface gets another name. */
function linkSections(name: string, ethernet: Ethernet): readonly Section[] | undefined {
  if (ethernet.setName === undefined) return undefined;
  return [
    { name: "Match", settings: matchSettings(name, ethernet, undefined) },
    { name: "Link", settings: [["Name", ethernet.setName]] },
  ];
}

function matchSettings(
  name: string,
  { match }: Ethernet,
  setName: string | undefined,
): readonly (readonly [string, string])[] {
  const settings: (readonly [string, string])[] = [];
  if (match?.mac !== undefined) settings.push(["MACAddress", match.mac]);
  if (match?.driver !== undefined) settings.push(["Driver", match.driver]);
  if (setName !== undefined) settings.push(["Name", setName]);
  else if (match?.name !== undefined) settings.push(["Name", match.name]);
  return settings.length === 0 ? [["Name", name]] : settings;
}

function sectionsAsText(sections: readonly Section[]): string {
  const texts = sections.map(
    ({ name, settings }) =>
      `[${name}]\n${settings.map(([key, value]) => `${key}=${oneLine(value)}\n`).join("")}`,
  );
  return texts.join("\n");
}

/** A setting is one line; a line break in a value would begin another setting. */
function oneLine(value: string): string {
  return value.replace(/[\r\n\0]+/g, " ");
}

const sectionOptions: Readonly<Record<string, string>> = {
  Match: "matchConfig",
  Network: "networkConfig",
  Link: "linkConfig",
};

function sectionsAsOptions(sections: readonly Section[]): NixExpr {
  const routes = sections.filter(({ name }) => name === "Route");
  const plain = sections.filter(({ name }) => name !== "Route");
  return attrs([
    ...plain.map(({ name, settings }) =>
      bind(sectionOptions[name] ?? name, settingsAsAttrs(settings)),
    ),
    ...(routes.length === 0
      ? []
      : [bind("routes", list(routes.map(({ settings }) => settingsAsAttrs(settings))))]),
  ]);
}

function settingsAsAttrs(settings: readonly (readonly [string, string])[]): NixExpr {
  const byKey = new Map<string, string[]>();
  for (const [key, value] of settings) byKey.set(key, [...(byKey.get(key) ?? []), oneLine(value)]);
  return attrs([...byKey].map(([key, values]) => bind(key, settingValue(key, values))));
}

function settingValue(key: string, values: readonly string[]): NixExpr {
  const [first = ""] = values;
  if (key === "Address" || key === "DNS") return list(values.map(str));
  if (key === "Metric") return int(Number(first));
  if (key !== "DHCP" && (first === "yes" || first === "no")) return bool(first === "yes");
  return str(first);
}

function yesNo(value: boolean): "yes" | "no" {
  return value ? "yes" : "no";
}
