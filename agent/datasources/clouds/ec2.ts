import type { AnswerReader, Cloud, CloudInstance, JsonObject } from "../cloud.ts";
import { ec2PlatformOf } from "./ec2-platform.ts";
import { leasedEthernets } from "./leased-ethernets.ts";
import { crawlTree, treeKeys } from "./tree.ts";

const root = "/latest/meta-data/";
const userData = "/latest/user-data";
const document = "/latest/dynamic/instance-identity/document";
const maxUserDataBytes = 1024 * 1024;

/** What holds passwords or keys of others, and is none of ours. */
const left = [`${root}iam/`, `${root}identity-credentials/`, `${root}managed-ssh-keys/`];

/**
 * Amazon EC2, and clouds that say by their firmware that they speak like it
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html). Asked with
 * tokens (IMDSv2) only. Credentials of the instance's role are not read.
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
  },
  identify: (identity) => ec2PlatformOf(identity)?.observation,
  async crawl(client) {
    await crawlTree(client, root, left);
    await client.get(userData, { raw: true, maxBytes: maxUserDataBytes });
    await client.get(document);
  },
  read(answers) {
    const at = (name: string) => answers.text(`${root}${name}`);
    const identity = answers.bytes(document) === undefined ? {} : answers.object(document);
    return {
      metaData: {
        "instance-id": at("instance-id"),
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
      userData: answers.bytes(userData),
      networkConfig: networkConfig(answers),
    };
  },
};

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
  return leasedEthernets(
    ordered.map((mac) => ({
      mac,
      hasIpv6: answers.text(`${prefix}${mac}/ipv6s`) !== undefined,
    })),
    "eni",
  );
}
