import type { Cloud, JsonObject } from "../cloud.ts";
import { Said } from "./said.ts";

const document = "/metadata/v1.json";
/** User-data is at most 64 KiB, and vendor-data of the same order. */
const maxBytes = 4 * 1024 * 1024;

/**
 * DigitalOcean (https://docs.digitalocean.com/reference/api/metadata/). The service is on the link: it takes
 * an address that DHCP or the droplet's config drive gives, or one of the link.
 */
export const digitalOcean: Cloud = {
  name: "DigitalOcean",
  linkLocal: true,
  service: { addresses: ["http://169.254.169.254"], probe: "/metadata/v1/id" },
  identify: ({ sysVendor }) =>
    sysVendor === "DigitalOcean" ? `system vendor: ${sysVendor}` : undefined,
  async crawl(client) {
    await client.get(document, { maxBytes });
  },
  read(answers) {
    const said = Said.in(answers, document);
    const serial = answers.identity.productSerial || undefined;
    const id = said.get("droplet_id").text() ?? serial;
    const region = said.get("region").text();
    return {
      metaData: {
        "instance-id": id,
        "local-hostname": said.get("hostname").text() ?? id,
        "public-keys": said.get("public_keys").json,
        region,
        // There are no others.
        "availability-zone": region,
        tags: said.get("tags").json,
      },
      userData: said.get("user_data").bytes(),
      vendorData: said.get("vendor_data").bytes(),
      networkConfig: networkConfig(said),
    };
  },
};

/** The addresses of every interface; only a public one leads out. */
function networkConfig(said: Said): JsonObject | undefined {
  const servers = said
    .get("dns")
    .get("nameservers")
    .items()
    .map((server) => server.need());
  const ethernets = said
    .get("interfaces")
    .entries()
    .flatMap(([kind, interfaces]) =>
      interfaces.items().map((each, index) => [`${kind}${index}`, ethernetOf(each)] as const),
    );
  // Of the machine: they are those of the way out.
  const wayOut = ethernets.find(([, { routes }]) => routes !== undefined) ?? ethernets[0];
  if (wayOut === undefined) return undefined;
  if (servers.length > 0) Object.assign(wayOut[1], { nameservers: { addresses: servers } });
  return { version: 2, ethernets: Object.fromEntries(ethernets) };
}

function ethernetOf(said: Said): JsonObject {
  const isPublic = said.get("type").text() === "public";
  const addresses: string[] = [];
  const routes: JsonObject[] = [];
  for (const kind of ["ipv4", "ipv6", "anchor_ipv4", "anchor_ipv6"]) {
    const address = said.get(kind);
    if (address.json === undefined) continue;
    const length = address.get("cidr").text() ?? address.get("netmask").need();
    addresses.push(`${address.get("ip_address").need()}/${length}`);
    const gateway = address.get("gateway").text();
    const leadsOut = isPublic && !kind.startsWith("anchor");
    if (leadsOut && gateway !== undefined) routes.push({ to: "default", via: gateway });
  }
  return {
    match: { macaddress: said.get("mac").need().toLowerCase() },
    addresses,
    ...(routes.length === 0 ? {} : { routes }),
  };
}
