import type { Ethernet, Spec } from "#generated/provisioner/spec/v1.ts";
import { attrs, bind, bool, int, list, type NixExpr, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign, type Concern, winning } from "./assignment.ts";
import { checked, checkedAll, textRules } from "./text-rules.ts";

/** One section of a file of systemd-networkd: its name and its settings in order. */
interface Section {
  readonly name: "Match" | "Link" | "Network" | "Route" | "DHCPv4" | "IPv6AcceptRA";
  readonly settings: readonly Setting[];
}

/** A list is a key that comes again. */
type Setting = readonly [key: string, value: string | number | boolean | readonly string[]];

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
      const fitting = checkEthernet(concern, ethernet, from);
      const link = linkSections(name, fitting);
      const set = (kind: "networks" | "links", sections: readonly Section[]) =>
        assign(["systemd", "network", kind, `10-${name}`], sectionsAsOptions(sections), from);
      return [
        set("networks", networkSections(name, fitting)),
        ...(link === undefined ? [] : [set("links", link)]),
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

/** Without the texts that would be another setting; each of them has a finding. */
function checkEthernet(concern: Concern, ethernet: Ethernet, from: readonly string[]): Ethernet {
  const { match, routes, nameservers, search } = ethernet;
  const text = (path: readonly string[], value: string | undefined) =>
    checked(concern, [...from, ...path], value, textRules.linkName);
  const name = text(["match", "name"], match?.name);
  const driver = text(["match", "driver"], match?.driver);
  return {
    ...ethernet,
    ...(match === undefined
      ? {}
      : {
          match: {
            ...(match.mac === undefined ? {} : { mac: match.mac }),
            ...(name === undefined ? {} : { name }),
            ...(driver === undefined ? {} : { driver }),
          },
        }),
    ...(routes === undefined
      ? {}
      : {
          routes: routes.filter(({ to, via }, index) => {
            const path = [...from, "routes", String(index)];
            const fits = checked(concern, [...path, "to"], to, textRules.destination);
            const gateway = checked(concern, [...path, "via"], via, textRules.address);
            return fits !== undefined && gateway === via;
          }),
        }),
    ...(nameservers === undefined
      ? {}
      : {
          nameservers: [
            ...checkedAll(concern, [...from, "nameservers"], nameservers, textRules.nameServer),
          ],
        }),
    ...(search === undefined
      ? {}
      : { search: [...checkedAll(concern, [...from, "search"], search, textRules.domain)] }),
  };
}

function networkSections(name: string, ethernet: Ethernet): readonly Section[] {
  const { dhcp4 = false, dhcp6 = false, acceptRa, routes = [] } = ethernet;
  const { addresses = [], nameservers = [], search = [] } = ethernet;
  const dhcp = dhcp4 && dhcp6 ? "yes" : dhcp4 ? "ipv4" : dhcp6 ? "ipv6" : "no";
  return [
    { name: "Match", settings: matchSettings(name, ethernet, "network") },
    {
      name: "Network",
      settings: [
        ["DHCP", dhcp],
        ...optional("IPv6AcceptRA", acceptRa),
        ...optional("Address", addresses.length === 0 ? undefined : addresses),
        ...optional("DNS", nameservers.length === 0 ? undefined : nameservers),
        ...optional("Domains", search.length === 0 ? undefined : search.join(" ")),
      ],
    },
    ...linkSection(ethernet),
    ...metricSections(ethernet),
    ...routes.map(
      ({ to, via, metric, onLink }): Section => ({
        name: "Route",
        settings: [
          ...optional("Destination", to === "default" ? defaultDestination(via) : to),
          ...optional("Gateway", via),
          ...optional("Metric", metric),
          ...optional("GatewayOnLink", onLink),
        ],
      }),
    ),
  ];
}

/** A default route is one without a destination; without a gateway the family must be said. */
function defaultDestination(via: string | undefined): string | undefined {
  return via === undefined ? "0.0.0.0/0" : undefined;
}

function linkSection({ mtu, optional: isOptional }: Ethernet): readonly Section[] {
  const settings: readonly Setting[] = [
    ...optional("MTUBytes", mtu === undefined ? undefined : String(mtu)),
    ...optional("RequiredForOnline", isOptional === undefined ? undefined : !isOptional),
  ];
  return settings.length === 0 ? [] : [{ name: "Link", settings }];
}

/** Of the routes that come from outside: those of IPv4 from DHCP, those of IPv6 from routers. */
function metricSections({ dhcp4, dhcp6, acceptRa, dhcpMetric }: Ethernet): readonly Section[] {
  if (dhcpMetric === undefined) return [];
  const settings: readonly Setting[] = [["RouteMetric", dhcpMetric]];
  return [
    ...(dhcp4 === true ? [{ name: "DHCPv4", settings } as const] : []),
    ...(dhcp6 === true || acceptRa === true ? [{ name: "IPv6AcceptRA", settings } as const] : []),
  ];
}

/** A .link file, only where the interface gets another name. */
function linkSections(name: string, ethernet: Ethernet): readonly Section[] | undefined {
  if (ethernet.setName === undefined) return undefined;
  return [
    { name: "Match", settings: matchSettings(name, ethernet, "link") },
    { name: "Link", settings: [["Name", ethernet.setName]] },
  ];
}

/** The kernel's name is `OriginalName` to a .link file, which is read when a device appears. */
function matchSettings(
  name: string,
  ethernet: Ethernet,
  file: "network" | "link",
): readonly Setting[] {
  const { match } = ethernet;
  const current = file === "link" ? match?.name : nameOfEither(name, ethernet);
  const settings: readonly Setting[] = [
    ...optional("MACAddress", match?.mac),
    ...optional("Driver", match?.driver),
    ...optional(file === "link" ? "OriginalName" : "Name", current),
  ];
  if (settings.length > 0) return settings;
  return [[file === "link" ? "OriginalName" : "Name", name]];
}

/**
 * A device that is there already keeps its name until it appears again, at the next boot: a .network
 * file of one that is to be renamed fits it under both names, or by what does not change.
 */
function nameOfEither(name: string, { match, setName }: Ethernet): string | undefined {
  if (setName === undefined) return match?.name;
  if (match?.mac !== undefined) return undefined;
  if (match?.name !== undefined) return `${setName} ${match.name}`;
  return match?.driver === undefined ? `${setName} ${name}` : undefined;
}

function optional(key: string, value: Setting[1] | undefined): readonly Setting[] {
  return value === undefined ? [] : [[key, value]];
}

function sectionsAsText(sections: readonly Section[]): string {
  const texts = sections.map(({ name, settings }) => {
    const lines = settings.flatMap(([key, value]) =>
      (Array.isArray(value) ? value : [value]).map((each) => `${key}=${settingText(each)}\n`),
    );
    return `[${name}]\n${lines.join("")}`;
  });
  return texts.join("\n");
}

/** A setting is one line; a line break in a value would begin another setting. */
function settingText(value: string | number | boolean): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value).replace(/[\r\n\0]+/g, " ");
}

const sectionOptions = {
  Match: "matchConfig",
  Network: "networkConfig",
  Link: "linkConfig",
  DHCPv4: "dhcpV4Config",
  IPv6AcceptRA: "ipv6AcceptRAConfig",
} as const;

function sectionsAsOptions(sections: readonly Section[]): NixExpr {
  const routes = sections.filter(({ name }) => name === "Route");
  return attrs([
    ...sections.flatMap(({ name, settings }) =>
      name === "Route" ? [] : [bind(sectionOptions[name], settingsAsAttrs(settings))],
    ),
    ...(routes.length === 0
      ? []
      : [bind("routes", list(routes.map(({ settings }) => settingsAsAttrs(settings))))]),
  ]);
}

function settingsAsAttrs(settings: readonly Setting[]): NixExpr {
  return attrs(settings.map(([key, value]) => bind(key, settingValue(value))));
}

function settingValue(value: Setting[1]): NixExpr {
  if (typeof value === "boolean") return bool(value);
  if (typeof value === "number") return int(value);
  return typeof value === "string" ? str(value) : list(value.map(str));
}
