import type { AnswerReader, Cloud, JsonObject } from "../cloud.ts";
import { Said } from "./said.ts";
import { nameByMac } from "./version1.ts";

const document = "/metadata/v1.json";
const maxBytes = 4 * 1024 * 1024;

/** UpCloud (https://developers.upcloud.com/1.3/8-servers/#metadata-service). */
export const upCloud: Cloud = {
  name: "UpCloud",
  service: { addresses: ["http://169.254.169.254"], probe: document, probeMaxBytes: maxBytes },
  identify: ({ sysVendor }) =>
    sysVendor === "UpCloud" ? `system vendor: ${sysVendor}` : undefined,
  async crawl(client) {
    await client.get(document, { maxBytes });
  },
  read(answers) {
    const said = Said.in(answers, document);
    const region = said.get("region").text();
    return {
      metaData: {
        "instance-id":
          said.get("instance_id").text() ?? (answers.identity.productUuid || undefined),
        "local-hostname": said.get("hostname").text(),
        "public-keys": said.get("public_keys").json,
        region,
        // There are no others.
        "availability-zone": region,
        tags: said.get("tags").json,
      },
      userData: said.get("user_data").bytes(),
      vendorData: said.get("vendor_data").bytes(),
      networkConfig: networkConfig(answers, said.get("network")),
    };
  },
};

/** Addresses by DHCP where the cloud hands them out so, and fixed ones (floating addresses). */
function networkConfig(answers: AnswerReader, network: Said): JsonObject | undefined {
  const interfaces = network.get("interfaces").items();
  if (interfaces.length === 0) return undefined;
  const ofMachine = textsIn(network.get("dns"));
  const config = interfaces.map((each, index) => {
    const mac = each.get("mac").need().toLowerCase();
    const subnets = each
      .get("ip_addresses")
      .items()
      .map((address) => subnetOf(address, ofMachine));
    const name = nameByMac(answers, mac, `eth${index}`);
    return { type: "physical", mac_address: mac, name, subnets };
  });
  const servers = ofMachine.length === 0 ? [] : [{ type: "nameserver", address: ofMachine }];
  return { version: 1, config: [...config, ...servers] };
}

function subnetOf(said: Said, ofMachine: readonly string[]): JsonObject {
  const isIpv6 = said.get("family").text() === "IPv6";
  // What is handed out says its own name servers.
  if (said.get("dhcp").flag()) return { type: isIpv6 ? "ipv6_dhcpv6-stateless" : "dhcp4" };
  const gateway = said.get("gateway").text();
  const length = said.get("network").text()?.split("/")[1];
  const servers = textsIn(said.get("dns")).filter((server) => !ofMachine.includes(server));
  return {
    type: isIpv6 ? "static6" : "static",
    address: said.get("address").need(),
    ...(length === undefined ? {} : { netmask: length }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(servers.length === 0 ? {} : { dns_nameservers: servers }),
  };
}

function textsIn(said: Said): readonly string[] {
  return said.items().map((item) => item.need());
}
