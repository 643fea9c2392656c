import type { ExecRequest, Files, Io } from "#core/io.ts";
import type { Ethernet, Spec } from "#generated/provisioner/spec/v1.ts";
import { fitsMade, madeKinds } from "#provisioner/render/networkd/match.ts";

const mostInterfaces = 1024;
/** `IFNAMSIZ` of the kernel, without its end. */
const longestName = 15;
const ipMs = 15_000;
/** Where NixOS has it, on a machine whose /etc/resolv.conf is made of what several say. */
const resolvconf = "/run/current-system/sw/bin/resolvconf";

/** What may stand in a line for `ip` or in resolv.conf: a line break would begin another one. */
const address = /^[0-9A-Fa-f:.]+(?:\/[0-9]{1,3})?$/;
const domain = /^[A-Za-z0-9._-]+$/;

/** An interface of this machine. */
interface Link {
  readonly name: string;
  readonly mac: string;
  readonly driver: string;
  /** Of what is no device: its kind, by the kernel's name. */
  readonly kind: string;
}

/**
 * Whether systemd-networkd configures this machine's network: it writes down its state (the directory is there
 * in any case). An image of NixOS has dhcpcd or NetworkManager in its place unless it says otherwise.
 */
export function hasNetworkd(files: Files): boolean {
  return files.stat("/run/systemd/netif/state") !== undefined;
}

/** Whether a router is known: dhcpcd has a default route without one where nobody leases an address. */
export function hasRouter(files: Files): boolean {
  const rows = (table: string) =>
    (files.readText(`/proc/net/${table}`) ?? "").split("\n").map((row) => row.trim().split(/\s+/));
  return (
    rows("route").some(([, to, via, , , , , mask]) => {
      return to === "00000000" && mask === "00000000" && !/^0*$/.test(via ?? "");
    }) ||
    rows("ipv6_route").some(([to, length, , , via]) => {
      return /^0{32}$/.test(to ?? "") && length === "00" && !/^0*$/.test(via ?? "");
    })
  );
}

/**
 * What brings up the fixed part of a network where no systemd-networkd reads files: addresses and routes by
 * `ip`, name servers by `resolvconf`. What is leased is left to whoever leases on this machine; names of
 * interfaces stay. Nothing where the spec says nothing of the interfaces that are there, or `ip` does not say
 * which there are. Throws `exec/…`.
 */
export async function networkRequests(io: Io, spec: Spec): Promise<readonly ExecRequest[]> {
  const links = await listLinks(io);
  const found = Object.entries(spec.network?.ethernets ?? {}).flatMap(([name, ethernet]) =>
    links.filter((link) => isMeant(link, name, ethernet)).map((link) => ({ link, ethernet })),
  );
  const lines = found.flatMap(({ link, ethernet }) => linesFor(link.name, ethernet));
  if (lines.length === 0) return [];
  const ethernets = found.map(({ ethernet }) => ethernet);
  return [
    {
      ...{ file: "ip", args: ["-force", "-batch", "-"], stdin: `${lines.join("\n")}\n` },
      ...{ timeoutMs: ipMs, effect: "set up the network" },
    },
    ...nameServers(io.files, spec, ethernets),
  ];
}

/** As `ip` lists them: also those that have no address, which nothing of Node's tells. */
async function listLinks({ exec, files }: Io): Promise<readonly Link[]> {
  const args = ["-json", "-details", "link"];
  const { code, stdout } = await exec({ file: "ip", args, timeoutMs: ipMs });
  const said: unknown = code === 0 ? parsed(stdout) : [];
  const links = (Array.isArray(said) ? said : []).slice(0, mostInterfaces) as readonly {
    readonly [key: string]: unknown;
  }[];
  return links.flatMap(({ ifname: name, address: mac, link_type: type, linkinfo: info }) => {
    if (typeof name !== "string" || type !== "ether" || /[\s/]/.test(name)) return [];
    const driver = files.readLink(`/sys/class/net/${name}/device/driver`)?.split("/").at(-1);
    const { info_kind: kind } = (info ?? {}) as { readonly info_kind?: unknown };
    const text = (value: unknown) => (typeof value === "string" ? value : "");
    return [{ name, mac: text(mac), driver: driver ?? "", kind: text(kind) }];
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return [];
  }
}

function isMeant(link: Link, name: string, { match = {}, setName }: Ethernet): boolean {
  const { mac, driver, name: pattern } = match;
  if (mac === undefined && driver === undefined && pattern === undefined)
    return link.name === name || link.name === setName;
  if (fitsMade(match) && madeKinds.includes(link.kind)) return false;
  return (
    (mac === undefined || mac.toLowerCase() === link.mac.toLowerCase()) &&
    (driver === undefined || driver === link.driver) &&
    (pattern === undefined || fits(link.name, pattern))
  );
}

/** Wildcards of a shell, of which `*` and `?` are used for names of interfaces. */
function fits(name: string, pattern: string): boolean {
  const stars = pattern.replace(/\*+/g, "*");
  if (stars.replaceAll("*", "").length > longestName) return false;
  const parts = stars.split(/([*?])/).map((part) => {
    if (part === "*") return ".*";
    return part === "?" ? "." : part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("")}$`).test(name);
}

function linesFor(name: string, ethernet: Ethernet): readonly string[] {
  const { addresses = [], routes = [], mtu } = ethernet;
  const fixed = addresses.filter((each) => address.test(each));
  if (fixed.length === 0) return [];
  return [
    `link set dev ${name} ${mtu === undefined ? "" : `mtu ${mtu} `}up`,
    ...fixed.map((each) => `address replace ${each} dev ${name}`),
    ...routes.flatMap(({ to, via, metric, onLink }) => {
      if ((to !== "default" && !address.test(to)) || (via !== undefined && !address.test(via)))
        return [];
      const over = via === undefined ? "" : `via ${via} `;
      const more = `${onLink === true ? " onlink" : ""}${metric === undefined ? "" : ` metric ${metric}`}`;
      return [`route replace ${to} ${over}dev ${name}${more}`];
    }),
  ];
}

function nameServers(
  files: Files,
  { resolver = {} }: Spec,
  ethernets: readonly Ethernet[],
): readonly ExecRequest[] {
  const unique = (texts: readonly string[], rule: RegExp) =>
    [...new Set(texts)].filter((text) => rule.test(text));
  const servers = unique(
    [...ethernets.flatMap((each) => each.nameservers ?? []), ...(resolver.nameservers ?? [])],
    address,
  );
  const search = unique(
    [...ethernets.flatMap((each) => each.search ?? []), ...(resolver.search ?? [])],
    domain,
  );
  if (servers.length === 0 || files.realPath(resolvconf) === undefined) return [];
  const lines = [
    ...servers.map((server) => `nameserver ${server}`),
    ...(search.length === 0 ? [] : [`search ${search.join(" ")}`]),
  ];
  return [
    {
      ...{ file: resolvconf, args: ["-a", "firstlight"], stdin: `${lines.join("\n")}\n` },
      ...{ timeoutMs: ipMs, effect: "name servers" },
    },
  ];
}
