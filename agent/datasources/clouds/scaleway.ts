import type { Json } from "#core/canonical-json.ts";
import type { AnswerReader, Cloud, JsonObject } from "../cloud.ts";
import { listIn, objectIn, textIn } from "./json-values.ts";

const conf = "/conf?format=json";
const userData = "/user_data/cloud-init";
const vendorData = "/vendor_data/cloud-init";
const maxDocumentBytes = 1024 * 1024;
const keyTag = "AUTHORIZED_KEY=";
/** The way from an address by DHCP to the metadata service, as cloud-init has it. */
const serviceRoute = { to: "169.254.42.42/32", via: "62.210.0.1", "on-link": true };

/**
 * Scaleway Instances (https://www.scaleway.com/en/developers/api/instance/user-data). User-data is
 * only for who asks from a port below 1024, which takes root or that one capability. Of what the
 * service says only what stays the same is taken: not the state of the machine or of its volumes.
 */
export const scaleway: Cloud = {
  name: "Scaleway",
  service: {
    addresses: ["http://169.254.42.42", "http://[fd00:42::42]"],
    probe: conf,
    privilegedPort: true,
  },
  identify({ sysVendor, kernelArguments, markFiles }) {
    if (sysVendor === "Scaleway") return `system vendor: ${sysVendor}`;
    if (kernelArguments.includes("scaleway")) return "kernel command line: scaleway";
    const mark = markFiles.find((path) => path === "/var/run/scaleway");
    return mark === undefined ? undefined : `file: ${mark}`;
  },
  async crawl(client) {
    await client.get(conf);
    const options = { raw: true, maxBytes: maxDocumentBytes };
    await client.get(userData, options);
    await client.get(vendorData, { ...options, without: "warning" });
  },
  read(answers) {
    const said = answers.object(conf);
    const zone = textIn(said["zone"]);
    return {
      metaData: {
        "instance-id": said["id"],
        "local-hostname": said["hostname"],
        "public-keys": publicKeys(said),
        region: zone?.slice(0, Math.max(0, zone.lastIndexOf("-"))),
        "availability-zone": zone,
        "instance-type": said["commercial_type"],
        name: said["name"],
        tags: said["tags"],
        "local-ipv4": said["private_ip"],
        "public-ipv4": objectIn(said["public_ip"])["address"],
      },
      userData: answers.bytes(userData),
      vendorData: answers.bytes(vendorData),
      networkConfig: networkConfig(answers, said),
    };
  },
};

/** Of the project, and what tags add for this machine: there spaces are underscores. */
function publicKeys(said: JsonObject): readonly Json[] {
  const keys = listIn(said["ssh_public_keys"]).map((key) => objectIn(key)["key"] ?? null);
  const tagged = listIn(said["tags"]).flatMap((tag) =>
    typeof tag === "string" && tag.startsWith(keyTag)
      ? [tag.slice(keyTag.length).replaceAll("_", " ")]
      : [],
  );
  return [...keys, ...tagged];
}

/** The public addresses, one of them by DHCP; without them nothing is said. */
function networkConfig(answers: AnswerReader, said: JsonObject): JsonObject | undefined {
  const ips = listIn(said["public_ips"])
    .map(objectIn)
    .filter(({ address }) => textIn(address) !== undefined);
  if (ips.length === 0) return undefined;
  const mac = textIn(said["mac_address"]);
  if (mac === undefined) {
    answers.find(conf, {
      level: "note",
      code: "datasource/not-read",
      message:
        "the public addresses are not configured: there is no mac_address to know the interface by",
      hint: "say the network in the user-data where DHCP is not enough",
    });
    return undefined;
  }
  const byDhcp = leasedOf(ips);
  const others = ips.filter((ip) => ip !== byDhcp);
  const addresses = others.map((ip) => `${String(ip["address"])}/${String(ip["netmask"])}`);
  const routes = [
    ...(byDhcp === undefined ? [] : [serviceRoute]),
    ...others
      .filter(({ family, gateway }) => family === "inet6" && textIn(gateway) !== undefined)
      .map(({ gateway }) => ({ to: "default", via: gateway as string })),
  ];
  const ethernet = {
    match: { macaddress: mac.toLowerCase() },
    dhcp4: byDhcp !== undefined,
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(routes.length === 0 ? {} : { routes }),
  };
  return { version: 2, ethernets: { public: ethernet } };
}

/** The address that the machine gets by DHCP: marked so, or where nothing is marked the first of IPv4. */
function leasedOf(ips: readonly JsonObject[]): JsonObject | undefined {
  const ofIpv4 = ips.filter(({ family }) => family !== "inet6");
  const areMarked = ips.some((ip) => textIn(ip["provisioning_mode"]) !== undefined);
  return areMarked ? ofIpv4.find((ip) => ip["provisioning_mode"] === "dhcp") : ofIpv4[0];
}
