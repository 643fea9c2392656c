import { decodedOrSame } from "../base64.ts";
import type { AnswerReader, Cloud, CloudInstance, JsonObject } from "../cloud.ts";
import type { Identity } from "../identity.ts";
import { ec2PlatformOf } from "./ec2-platform.ts";
import {
  addressesIn,
  leasedEthernets,
  networksIn,
  type Sources,
  secondaryAddresses,
  tellOfLeftOut,
} from "./leased-ethernets.ts";
import { tellOfOther } from "./other-instance.ts";
import { crawlTree, treeKeys } from "./tree.ts";

const root = "/latest/meta-data/";
const userData = "/latest/user-data";
const document = "/latest/dynamic/instance-identity/document";
const maxUserDataBytes = 1024 * 1024;

/** What holds passwords or keys of others, and is none of ours. */
const left = [`${root}iam/`, `${root}identity-credentials/`, `${root}managed-ssh-keys/`];

/**
 * Amazon EC2, and clouds that say by their firmware that they speak like it
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html). Amazon's is asked
 * with tokens (IMDSv2), unless the owner allows less; the others know none. Credentials of the instance's
 * role are not read.
 */
export const ec2: Cloud = {
  name: "Ec2",
  service: {
    addresses: ["http://169.254.169.254", "http://[fd00:ec2::254]"],
    token: {
      method: "PUT",
      path: "/latest/api/token",
      headers: { "x-aws-ec2-metadata-token-ttl-seconds": "21600" },
      header: "x-aws-ec2-metadata-token",
    },
    probe: `${root}instance-id`,
    speaksOf: async (said) => said.trim(),
  },
  expected: (identity) => [idOfNitro(identity) ?? []].flat(),
  identify: (identity) => ec2PlatformOf(identity)?.observation,
  tokensOn(identity, { imdsv1 }) {
    const platform = ec2PlatformOf(identity);
    if (platform !== undefined && platform.cloud !== "aws") return "none";
    return imdsv1 ? "optional" : undefined; // where firmware does not say, it may be Amazon's
  },
  async crawl(client) {
    await client.get(`${root}instance-id`);
    await client.get(userData, { raw: true, maxBytes: maxUserDataBytes });
    await crawlTree(client, root, [...left, `${root}instance-id/`]);
    await client.get(document, { without: "note" });
  },
  workloadIdentity: (answers) =>
    answers.lines(root).includes("iam/") ? "a role of IAM" : undefined,
  read(answers) {
    const at = (name: string) => answers.text(`${root}${name}`);
    const ofFirmware = idOfNitro(answers.identity);
    const said = at("instance-id");
    if (ofFirmware !== undefined && said !== undefined && said !== ofFirmware)
      tellOfOther(answers, `${root}instance-id`, { what: "instance-id", said, ofFirmware });
    const identity = answers.bytes(document) === undefined ? {} : answers.object(document);
    return {
      metaData: {
        "instance-id": said,
        "local-hostname": at("local-hostname"),
        "public-keys": treeKeys(answers, root),
        region: identity["region"] ?? at("placement/region"),
        "availability-zone": at("placement/availability-zone"),
        "instance-type": at("instance-type"),
        "ami-id": at("ami-id"),
        "public-hostname": at("public-hostname"),
        "local-ipv4": at("local-ipv4"),
        "public-ipv4": at("public-ipv4"),
        tags: tags(answers),
      },
      // Some tools encode it a second time.
      userData: decodedOrSame(answers.bytes(userData)),
      networkConfig: networkConfig(answers),
    };
  },
};

/**
 * The instance-id, where the machine is one of Nitro, whose board bears it
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/identify_ec2_instances.html).
 */
function idOfNitro({ boardAssetTag, sysVendor }: Identity): string | undefined {
  const isId = sysVendor === "Amazon EC2" && /^i-[0-9a-f]{8,17}$/.test(boardAssetTag);
  return isId ? boardAssetTag : undefined;
}

function tags(answers: AnswerReader): JsonObject | undefined {
  const prefix = `${root}tags/instance/`;
  const named = answers.paths(prefix).filter((path) => path !== prefix);
  if (named.length === 0) return undefined;
  return Object.fromEntries(
    named.map((path) => [path.slice(prefix.length), answers.text(path) ?? ""]),
  );
}

/** Of several interfaces, in the order of their numbers. */
function networkConfig(answers: AnswerReader): CloudInstance["networkConfig"] {
  const prefix = `${root}network/interfaces/macs/`;
  const macs = answers.lines(prefix).map((line) => line.replace(/\/$/, ""));
  const number = (mac: string) => Number(answers.text(`${prefix}${mac}/device-number`) ?? 0);
  const ordered = [...macs].sort((a, b) => number(a) - number(b));
  const interfaces = ordered.map((mac) => {
    const here = (name: string) => answers.text(`${prefix}${mac}/${name}`);
    const ipv4s = addressesIn(here("local-ipv4s"));
    const ipv6s = addressesIn(here("ipv6s"));
    return {
      mac,
      sources: sourcesOf(here, ipv4s, ipv6s),
      hasIpv6: here("ipv6s") !== undefined,
      secondary: [
        ...secondaryAddresses(ipv4s, ipv4s[0], here("subnet-ipv4-cidr-block")),
        ...secondaryAddresses(ipv6s, ipv6s[0], here("subnet-ipv6-cidr-blocks")),
      ],
    };
  });
  const prefixes = answers.paths(prefix).filter((path) => /\/ipv[46]-prefix$/.test(path));
  const unrouted = interfaces.slice(1).filter(({ sources }) => sources.length === 0);
  tellOfLeftOut(answers, prefix, unrouted.length + 1, prefixes.length);
  return leasedEthernets(interfaces, { prefix: "eni" });
}

/** Where the cloud does not number its interfaces, nobody knows which one is the way out. */
function sourcesOf(
  here: (name: string) => string | undefined,
  ipv4s: readonly string[],
  ipv6s: readonly string[],
): readonly Sources[] {
  if (here("device-number") === undefined) return [];
  const all: readonly Sources[] = [
    { family: "ipv4", addresses: ipv4s, networks: networksIn(here("subnet-ipv4-cidr-block")) },
    { family: "ipv6", addresses: ipv6s, networks: networksIn(here("subnet-ipv6-cidr-blocks")) },
  ];
  return all.filter(({ addresses, networks }) => addresses.length > 0 && networks.length > 0);
}
