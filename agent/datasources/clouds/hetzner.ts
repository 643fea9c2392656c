import { Fault } from "#core/fault.ts";
import { decodeBase64 } from "../base64.ts";
import type { AnswerReader, Cloud, JsonObject } from "../cloud.ts";
import { Said } from "./said.ts";
import { itemsOfVersion1, nameByMac } from "./version1.ts";

const root = "/hetzner/v1/";
const metadata = `${root}metadata`;
const privateNetworks = `${root}metadata/private-networks`;
const userData = `${root}userdata`;
const maxUserDataBytes = 1024 * 1024;

/**
 * Hetzner Cloud (https://docs.hetzner.cloud/reference/cloud#server-metadata). Its dedicated servers say
 * the name of their board's vendor where the cloud's say `Hetzner`. A server knows its own number from
 * its firmware: what another number comes from is not its metadata.
 */
export const hetzner: Cloud = {
  name: "Hetzner",
  service: {
    addresses: ["http://[fe80::a9fe:a9fe]", "http://169.254.169.254"],
    probe: `${metadata}/instance-id`,
    speaksOf: async (said) => said.trim(),
  },
  expected: ({ productSerial }) => (productSerial === "" ? [] : [productSerial]),
  identify: ({ sysVendor }) =>
    sysVendor === "Hetzner" ? `system vendor: ${sysVendor}` : undefined,
  async crawl(client) {
    await client.get(metadata);
    await client.get(privateNetworks, { without: "warning" });
    await client.get(userData, { raw: true, maxBytes: maxUserDataBytes });
  },
  read(answers) {
    const said = Said.in(answers, metadata, "yaml");
    const id = said.get("instance-id");
    const serial = answers.identity.productSerial;
    if (serial !== "" && id.text() !== serial) throw otherServer(id, serial);
    return {
      metaData: {
        "instance-id": id.text(),
        "local-hostname": said.get("hostname").text(),
        "public-keys": said.get("public-keys").json,
        region: said.get("region").text(),
        "availability-zone": said.get("availability-zone").text(),
        "public-ipv4": said.get("public-ipv4").text(),
        "local-ipv4": said.get("local-ipv4").text(),
      },
      userData: decoded(answers.bytes(userData)),
      vendorData: said.get("vendor_data").bytes(),
      networkConfig: networkConfig(answers, said),
    };
  },
};

/** Who answers may be another tomorrow: no fault of the machine's input. */
function otherServer(id: Said, serial: string): Fault {
  const { message } = id.wrong(`the number of this server was expected (${serial}), another came`);
  return new Fault("datasource/unreachable", message, {
    hint: "another answers in the place of the metadata service: look who has this address",
  });
}

/** Who wants bytes in the user-data writes them in base64, which no document that is meant is. */
function decoded(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes && (decodeBase64(Buffer.from(bytes).toString("latin1")) ?? bytes);
}

/**
 * The network as the cloud says it (version 1), and the interfaces in private networks, by DHCP. An
 * interface that there is keeps its name: the cloud does not know it.
 */
function networkConfig(answers: AnswerReader, said: Said): JsonObject | undefined {
  const config = said.get("network-config");
  if (config.json === undefined) return undefined;
  const items = itemsOfVersion1(answers, config.get("config").items());
  const macs = new Set(items.map((item) => item["mac_address"]));
  const privateOnes = privateItems(answers).flatMap(([mac, index]) =>
    macs.has(mac)
      ? []
      : [
          {
            ...{
              type: "physical",
              mac_address: mac,
              name: nameByMac(answers, mac, `private${index}`),
            },
            subnets: [{ type: "dhcp" }],
          },
        ],
  );
  return { version: config.get("version").json ?? 1, config: [...items, ...privateOnes] };
}

/** MAC addresses of the interfaces in private networks, each with its place. */
function privateItems(answers: AnswerReader): readonly (readonly [string, number])[] {
  if (answers.text(privateNetworks) === undefined) return [];
  return Said.in(answers, privateNetworks, "yaml")
    .items()
    .map((each, index) => [each.get("mac_address").need().toLowerCase(), index]);
}
