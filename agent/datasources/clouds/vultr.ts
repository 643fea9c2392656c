import type { AnswerReader, Cloud, JsonObject } from "../cloud.ts";
import { Said } from "./said.ts";
import { itemsOfVersion1, nameByMac } from "./version1.ts";

const document = "/v1.json";
const maxBytes = 4 * 1024 * 1024;
/** Of Vultr; the metadata names none. */
const nameservers = ["108.61.10.10", "2001:19f0:300:1704::6"];

/**
 * Vultr (https://www.vultr.com/metadata/). Its bare metal has the firmware of another vendor: there the
 * image says it, to the kernel or by a file.
 */
export const vultr: Cloud = {
  name: "Vultr",
  service: {
    addresses: ["http://169.254.169.254"],
    // As cloud-init asks: user-data and vendor-data are there for who asks so.
    headers: { "metadata-token": "cloudinit" },
    probe: document,
    probeMaxBytes: maxBytes,
  },
  identify({ sysVendor, kernelArguments, markFiles }) {
    if (sysVendor === "Vultr") return `system vendor: ${sysVendor}`;
    if (kernelArguments.includes("vultr")) return "kernel command line: vultr";
    return markFiles.includes("/etc/vultr") ? "file: /etc/vultr" : undefined;
  },
  async crawl(client) {
    await client.get(document, { maxBytes });
  },
  read(answers) {
    const said = Said.in(answers, document);
    const region = said.get("region");
    return {
      metaData: {
        "instance-id": said.get("instance-v2-id").need(),
        "local-hostname": said.get("hostname").text() ?? "guest",
        "public-keys": said.get("public-keys").json,
        region: (
          region.get("countrycode").text() ?? region.get("regioncode").text()
        )?.toLowerCase(),
        instanceid: said.get("instanceid").text(),
      },
      userData: documentIn(said.get("user-data")),
      vendorData: documentIn(said.get("vendor-data")),
      networkConfig: networkConfig(answers, said),
    };
  },
};

/** Where there is none, an empty list stands. */
function documentIn(said: Said): Uint8Array | undefined {
  return Array.isArray(said.json) && said.json.length === 0 ? undefined : said.bytes();
}

/** Version 1 as the cloud says it; else of the addresses, the first interface by DHCP. */
function networkConfig(answers: AnswerReader, said: Said): JsonObject | undefined {
  const given = said.get("cloud_interfaces");
  if (given.json !== undefined) {
    const config = itemsOfVersion1(answers, given.get("config").items());
    return { version: given.get("version").json ?? 1, config };
  }
  const interfaces = said
    .get("interfaces")
    .items()
    .filter((each, index) => index === 0 || !each.get("unconfigured").json);
  if (interfaces.length === 0) return undefined;
  const config = interfaces.map((each, index) => itemOf(answers, each, index));
  return { version: 1, config: [{ type: "nameserver", address: nameservers }, ...config] };
}

function itemOf(answers: AnswerReader, said: Said, index: number): JsonObject {
  const mac = said.get("mac").need().toLowerCase();
  const ipv4 = said.get("ipv4");
  const isPrimary = index === 0;
  const first: readonly JsonObject[] = isPrimary
    ? [{ type: "dhcp" }, { type: "ipv6_slaac" }]
    : [{ type: "static", ...addressOf(ipv4) }];
  const routes = said.get("routes").json;
  const mtu = said.get("mtu").json;
  const acceptRa = said.get("accept-ra").json ?? (isPrimary ? true : undefined);
  return {
    ...{ type: "physical", mac_address: mac, name: nameByMac(answers, mac, `eth${index}`) },
    ...(mtu === undefined ? {} : { mtu }),
    ...(acceptRa === undefined ? {} : { "accept-ra": Boolean(acceptRa) }),
    subnets: [
      ...first.map((subnet, at) =>
        at === 0 && routes !== undefined ? { ...subnet, routes } : subnet,
      ),
      ...ipv4
        .get("additional")
        .items()
        .map((each) => ({
          ...{ type: "static", ...addressOf(each) },
          ...routesOf(each),
        })),
      ...said
        .get("ipv6")
        .get("additional")
        .items()
        .map((each) => ({
          type: "static6",
          address: `${each.get("network").need()}/${each.get("prefix").need()}`,
          ...routesOf(each),
        })),
    ],
  };
}

function addressOf(said: Said): JsonObject {
  return { address: said.get("address").need(), netmask: said.get("netmask").need() };
}

function routesOf(said: Said): JsonObject {
  const routes = said.get("routes").json;
  return routes === undefined ? {} : { routes };
}
