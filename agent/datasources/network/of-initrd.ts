import { isIP } from "node:net";
import type { Json } from "#core/canonical-json.ts";
import { isFault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { Files } from "#core/io.ts";
import { prefixLength } from "#provisioner/userdata/network-parts.ts";
import type { JsonObject } from "../cloud.ts";
import { readKernelArguments } from "../kernel-command-line.ts";
import { readShellAssignments } from "../shell-assignments.ts";
import { type LookedAt, silent, type Unreadable, unreadable } from "./said-network.ts";

const directory = "/run";
/** Written by an initrd that has found its root by the firmware's iBFT, without a word for the kernel. */
const iscsiFile = "/run/initramfs/open-iscsi.interface";
const mostFiles = 64;
const maxBytes = 64 * 1024;
/** `IFNAMSIZ` of the kernel, without its end. */
const deviceName = /^[^\s/:]{1,15}$/;
const hint = "correct what the initrd writes, or take `ip=` from the kernel's command line";

/** What the file of one interface says. */
interface Brought {
  readonly device: string;
  readonly dhcp: readonly ("dhcp4" | "dhcp6")[];
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
}

/**
 * The network that an initrd has brought up, which it leaves in `/run/net-*.conf` and `/run/net6-*.conf` as
 * `ipconfig` writes them (https://git.kernel.org/pub/scm/libs/klibc/klibc.git/plain/usr/kinit/ipconfig/README.ipconfig),
 * where `ip=` or `ip6=` asked for it, or the root is on iSCSI. What is wrong in one file costs all of them: half
 * a network is none.
 */
export function networkOfInitrd(files: Files): LookedAt {
  const names = files.list(directory).filter((name) => /^net6?-.*\.conf$/.test(name));
  if (names.length === 0 || !isAsked(files)) return silent;
  if (names.length > mostFiles) {
    const message = `${names.length} files say the network of the initrd, ${mostFiles} at most are read`;
    return unreadable(`${directory}/net-*.conf`, { message, hint });
  }
  const findings: Finding[] = [];
  const read = names.flatMap((name) => {
    const path = `${directory}/${name}`;
    const found = readFile(files, path);
    if ("device" in found) return [found];
    findings.push(...unreadable(path, found).findings);
    return [];
  });
  if (findings.length > 0) return { findings };
  const up = read.filter(({ dhcp, addresses }) => dhcp.length + addresses.length > 0);
  if (up.length === 0) return silent;
  const config = { version: 2, ethernets: ethernetsOf(files, up) };
  const document = `initrd: ${names.map((name) => `${directory}/${name}`).join(", ")}`;
  return { said: { document, bytes: Buffer.from(JSON.stringify(config)) }, findings: [] };
}

function isAsked(files: Files): boolean {
  const isWord = (word: string) => word.startsWith("ip=") || word.startsWith("ip6=");
  return readKernelArguments(files).some(isWord) || files.stat(iscsiFile) !== undefined;
}

function readFile(files: Files, path: string): Brought | Unreadable {
  try {
    return readInterface(files.readText(path, { maxBytes }) ?? "");
  } catch (error) {
    if (!isFault(error)) throw error;
    return { message: error.message, hint };
  }
}

function readInterface(text: string): Brought | Unreadable {
  const read = readShellAssignments(text);
  if ("problem" in read) return { message: read.problem, hint, line: read.line, column: 1 };
  const say = (name: string) => read.variables.get(name) ?? "";
  const device = say("DEVICE") || say("DEVICE6");
  if (!deviceName.test(device)) {
    return { message: "DEVICE or DEVICE6: the name of an interface was expected", hint };
  }
  const usual = say("PROTO") || say("IPV6PROTO") || (say("filename") === "" ? "none" : "dhcp");
  const families = ([4, 6] as const).filter((family) => say(`IPV${family}ADDR`) !== "");
  const brought = { device, dhcp: [], addresses: [], gateways: [], nameservers: [], search: [] };
  return families.reduce<Brought | Unreadable>(
    (so, family) => ("device" in so ? addFamily(so, { family, usual, say }) : so),
    brought,
  );
}

interface Family {
  readonly family: 4 | 6;
  /** How the addresses of the interface are had, where its family does not say it. */
  readonly usual: string;
  readonly say: (name: string) => string;
}

function addFamily(so: Brought, { family, usual, say }: Family): Brought | Unreadable {
  const of = (name: string) => say(`IPV${family}${name}`);
  const way = of("PROTO") || usual;
  if (way === "dhcp" || way === "dhcp6") {
    const key = way === "dhcp6" || family === 6 ? "dhcp6" : "dhcp4";
    return { ...so, dhcp: [...so.dhcp, key] }; // the rest is leased with it
  }
  if (way !== "none" && way !== "static" && way !== "off")
    return { message: `PROTO: none, static, off, dhcp or dhcp6 was expected`, hint };
  const address = of("ADDR");
  if (isNothing(address)) return so;
  if (isIP(address) !== family)
    return { message: `IPV${family}ADDR: an address of IPv${family} was expected`, hint };
  // As cloud-init has it where nothing is said.
  const mask = of("NETMASK") || (family === 4 ? "24" : "64");
  const length = prefixLength(mask);
  if (length === undefined || length > (family === 4 ? 32 : 128))
    return { message: `IPV${family}NETMASK: a netmask or a length was expected`, hint };
  const addressesIn = (names: readonly string[]) =>
    names.map(of).filter((each) => isIP(each) !== 0 && !isNothing(each));
  return {
    ...so,
    addresses: [...so.addresses, `${address}/${length}`],
    gateways: [...so.gateways, ...addressesIn(["GATEWAY"])],
    nameservers: [...so.nameservers, ...addressesIn(["DNS0", "DNS1"])],
    search: say("DOMAINSEARCH")
      .split(/[\s,]+/)
      .filter((name) => name !== ""),
  };
}

/** `0.0.0.0` and `::` stand for what there is not. */
function isNothing(address: string): boolean {
  return /^[0:.]*$/.test(address);
}

/** The same interface may have a file for each family. It is kept as it is: the root may be behind it. */
function ethernetsOf(files: Files, read: readonly Brought[]): JsonObject {
  const devices = [...new Set(read.map(({ device }) => device))];
  return Object.fromEntries(
    devices.map((device) => {
      const its = read.filter((each) => each.device === device);
      const all = (key: "addresses" | "gateways" | "nameservers" | "search") => [
        ...new Set(its.flatMap((each) => each[key])),
      ];
      const path = `/sys/class/net/${device}/address`;
      const mac = files.readText(path, { maxBytes: 256 })?.trim().toLowerCase();
      const dhcp = its.flatMap((each) => each.dhcp.map((key) => [key, true] as const));
      const resolver = { addresses: all("nameservers"), search: all("search") };
      const ethernet: { [key: string]: Json } = {
        ...(mac === undefined ? {} : { match: { macaddress: mac } }),
        ...Object.fromEntries(dhcp),
        critical: true,
      };
      if (all("addresses").length > 0) {
        ethernet["addresses"] = all("addresses");
        ethernet["routes"] = all("gateways").map((via) => ({ to: "default", via }));
      }
      if (resolver.addresses.length > 0) ethernet["nameservers"] = resolver;
      return [device, ethernet];
    }),
  );
}
