import { decodeBase64 } from "../base64.ts";
import type { AnswerReader, Cloud, JsonObject } from "../cloud.ts";
import { Said } from "./said.ts";
import { nameByMac } from "./version1.ts";

const socket = "/native/.zonecontrol/metadata.sock";
const port = "/dev/ttyS1";
const kernelVersion = "BrandZ virtual linux";
const texts = [
  "sdc:uuid",
  "hostname",
  "sdc:hostname",
  "root_authorized_keys",
  "sdc:datacenter_name",
];
const documents = ["cloud-init:user-data", "sdc:vendor-data"];
const network = ["sdc:nics", "sdc:resolvers", "sdc:routes", "sdc:dns_domain"];
const scripts = ["user-script", "sdc:operator-script"];
/** Who wrote a value may have encoded it: all of them, those that a list names, or one by a key of its own. */
const encodings = ["base64_all", "base64_keys", ...documents.map((key) => `b64-${key}`)];
const maxBytes = 16 * 1024 * 1024;

/**
 * SmartOS and Triton (https://eng.tritondatacenter.com/mdata/datadict.html): the host answers over a
 * serial port, in zones over a socket. The instance is called `joyent` by cloud-init.
 */
export const smartOs: Cloud = {
  name: "SmartOS",
  onMachine: true,
  service: {
    addresses: [`serial:${port}`],
    probe: "sdc:uuid",
    speak: async (line) => (await import("./smartos-protocol.ts")).speakSmartOs(line),
    devices: [port],
  },
  identify({ productName, markSockets, kernelVersion: kernel }) {
    if (productName.startsWith("SmartDC")) return `product name: ${productName}`;
    const isZone = kernel === kernelVersion && markSockets.includes(socket);
    return isZone ? `socket: ${socket}` : undefined;
  },
  addressesOn: (files) => [
    files.stat(socket)?.kind === "other"
      ? `unix:${files.hostPath(socket)}`
      : `serial:${files.hostPath(port)}`,
  ],
  async crawl(client) {
    for (const key of [...encodings, ...texts, ...documents, ...network, ...scripts])
      await client.get(key, { maxBytes, raw: true });
  },
  read(answers) {
    const uuid = answers.text("sdc:uuid");
    if (uuid === undefined)
      throw answers.malformed("sdc:uuid", "a text was expected, there is none");
    tellOfScripts(answers);
    return {
      metaData: {
        "instance-id": uuid,
        "local-hostname": answers.text("hostname") ?? answers.text("sdc:hostname") ?? uuid,
        "public-keys": answers.text("root_authorized_keys"),
        "availability-zone": answers.text("sdc:datacenter_name"),
      },
      userData: document(answers, "cloud-init:user-data"),
      vendorData: document(answers, "sdc:vendor-data"),
      networkConfig: networkConfig(answers),
    };
  },
};

/** A document; who wrote it may have encoded it, as version 1 of the protocol wanted it. */
function document(answers: AnswerReader, key: string): Uint8Array | undefined {
  const bytes = answers.bytes(key);
  const isSet = (name: string) => /^(?:true|1|on|yes)$/i.test(answers.text(name) ?? "");
  const listed = (answers.text("base64_keys") ?? "").split(",").includes(key);
  const own = answers.text(`b64-${key}`);
  const isEncoded = isSet("base64_all") || (own === undefined ? listed : isSet(`b64-${key}`));
  if (bytes === undefined || !isEncoded) return bytes;
  const decoded = decodeBase64(Buffer.from(bytes).toString("latin1"));
  if (decoded === undefined) throw answers.malformed(key, "base64 was expected, another text came");
  return decoded;
}

function tellOfScripts(answers: AnswerReader): void {
  for (const key of scripts) {
    if ((answers.bytes(key)?.length ?? 0) === 0) continue;
    answers.find(key, {
      level: "warning",
      code: "datasource/not-read",
      message: "the script is not run",
      hint: "write it into the user-data (`cloud-init:user-data`)",
    });
  }
}

/** Version 1 of what the host says of its interfaces; a gateway of each family is the primary one's. */
function networkConfig(answers: AnswerReader): JsonObject | undefined {
  if (answers.bytes("sdc:nics") === undefined) return undefined;
  const nics = Said.in(answers, "sdc:nics").items();
  const routes = list(answers, "sdc:routes").map((route) => ({
    network: route.get("dst").need(),
    gateway: route.get("gateway").need(),
  }));
  const config = nics.map((nic): JsonObject => {
    const mac = nic.get("mac").need().toLowerCase();
    const mtu = nic.get("mtu").json;
    return {
      ...{ type: "physical", mac_address: mac },
      name: nameByMac(answers, mac, nic.get("interface").text() ?? "net0"),
      ...(mtu === undefined ? {} : { mtu }),
      subnets: subnetsOf(nic, routes),
    };
  });
  const servers = list(answers, "sdc:resolvers").map((server) => server.need());
  const domain = answers.text("sdc:dns_domain");
  const search = domain === undefined ? {} : { search: [domain] };
  const nameserver = { type: "nameserver", address: servers, ...search };
  return { version: 1, config: servers.length === 0 ? config : [...config, nameserver] };
}

function subnetsOf(nic: Said, routes: readonly JsonObject[]): readonly JsonObject[] {
  const isPrimary = nic.get("primary").flag();
  const gateways = nic
    .get("gateways")
    .items()
    .map((gateway) => gateway.need());
  const led = new Set<boolean>();
  return nic
    .get("ips")
    .items()
    .map((ip) => {
      const address = ip.need();
      if (address === "dhcp") return { type: "dhcp4" };
      if (address === "addrconf") return { type: "dhcp6" };
      const isIpv6 = address.includes(":");
      const gateway = gateways.find((each) => each.includes(":") === isIpv6);
      const leads = isPrimary && gateway !== undefined && !led.has(isIpv6);
      if (leads) led.add(isIpv6);
      const own = routes.filter((route) => String(route["network"]).includes(":") === isIpv6);
      return {
        ...{ type: "static", address },
        ...(leads ? { gateway } : {}),
        ...(own.length === 0 ? {} : { routes: own }),
      };
    });
}

function list(answers: AnswerReader, key: string): readonly Said[] {
  return answers.bytes(key) === undefined ? [] : Said.in(answers, key).items();
}
