import type { Json } from "#core/canonical-json.ts";
import type { AnswerReader, Cloud, JsonObject } from "../cloud.ts";
import { objectIn } from "./json-values.ts";
import {
  addressesIn,
  leasedEthernets,
  secondaryAddresses,
  tellOfLeftOut,
} from "./leased-ethernets.ts";
import { crawlTree, treeKeys } from "./tree.ts";

/** The version that keeps its form. */
const version = "/2016-01-01/";
const root = `${version}meta-data/`;
const all = `${root}all`;
const userData = `${version}user-data`;
const vendorData = `${version}vendor-data`;
const maxDocumentBytes = 1024 * 1024;
/** Credentials of the instance's role, which are none of ours. */
const left = [`${root}ram/`];
/** Lists their names; what they may do is behind those. */
const roles = `${root}ram/security-credentials/`;
const macs = "network/interfaces/macs";

/**
 * Alibaba Cloud ECS
 * (https://www.alibabacloud.com/help/en/ecs/user-guide/overview-of-ecs-instance-metadata). Asked with
 * tokens only; for everything at once, and where the service does not know that, path by path.
 */
export const aliYun: Cloud = {
  name: "AliYun",
  service: {
    addresses: ["http://100.100.100.200"],
    token: {
      method: "PUT",
      path: "/latest/api/token",
      headers: { "x-aliyun-ecs-metadata-token-ttl-seconds": "21600" },
      header: "x-aliyun-ecs-metadata-token",
    },
    probe: `${root}instance-id`,
  },
  identify({ productName }) {
    return productName === "Alibaba Cloud ECS" ? `product name: ${productName}` : undefined;
  },
  async crawl(client) {
    const options = { raw: true, maxBytes: maxDocumentBytes };
    await client.get(userData, options);
    if ((await client.get(all, { without: "note" })) === undefined) {
      await client.get(`${root}instance-id`);
      await crawlTree(client, root, [...left, `${root}instance-id/`]);
    }
    await client.get(roles, { without: "note" });
    await client.get(vendorData, { ...options, without: "warning" });
  },
  workloadIdentity: (answers) => (answers.lines(roles).length > 0 ? "a role of RAM" : undefined),
  read(answers) {
    const said = answers.bytes(all) === undefined ? undefined : answers.object(all);
    const at = (path: string) =>
      said === undefined ? answers.text(`${root}${path}`) : valueAt(said, path);
    return {
      metaData: {
        "instance-id": at("instance-id"),
        "local-hostname": at("hostname"),
        "public-keys": said === undefined ? treeKeys(answers, root) : said["public-keys"],
        region: at("region-id"),
        "availability-zone": at("zone-id"),
        "instance-type": at("instance/instance-type"),
        "instance-name": at("instance/instance-name"),
        "image-id": at("image-id"),
        "local-ipv4": at("private-ipv4"),
        "public-ipv4": at("eipv4"),
        "vpc-id": at("vpc-id"),
      },
      userData: answers.bytes(userData),
      vendorData: answers.bytes(vendorData),
      networkConfig: networkConfig(answers, said, at),
    };
  },
};

/** Of an empty text as of nothing, as a file without a content has it. */
function valueAt(said: JsonObject, path: string): Json | undefined {
  const value = path.split("/").reduce<Json>((at, key) => objectIn(at)[key] ?? null, said);
  return value === null || value === "" ? undefined : value;
}

/** The one that is the machine's own first. */
function networkConfig(
  answers: AnswerReader,
  said: JsonObject | undefined,
  at: (path: string) => Json | undefined,
) {
  const named =
    said === undefined
      ? answers.lines(`${root}${macs}/`).map((line) => line.replace(/\/$/, ""))
      : Object.keys(objectIn(valueAt(said, macs)));
  const first = at("mac");
  const interfaces = [...named]
    .sort((a, b) => Number(b === first) - Number(a === first) || (a < b ? -1 : 1))
    .map((mac) => {
      const here = (name: string) => at(`${macs}/${mac}/${name}`);
      const ipv4s = addressesIn(here("private-ipv4s"));
      const [primary = ipv4s[0]] = addressesIn(here("primary-ip-address"));
      const ipv6s = addressesIn(here("ipv6s"));
      return {
        mac,
        hasIpv6: here("ipv6s") !== undefined,
        secondary: [
          ...secondaryAddresses(ipv4s, primary, here("vswitch-cidr-block")),
          ...secondaryAddresses(ipv6s, ipv6s[0], here("vswitch-ipv6-cidr-block")),
        ],
      };
    });
  tellOfLeftOut(answers, `${root}${macs}/`, interfaces.length);
  return leasedEthernets(interfaces, { prefix: "eni" });
}
