import { Fault } from "#core/fault.ts";
import { decodedOrSame } from "../base64.ts";
import type { AnswerReader, Cloud } from "../cloud.ts";
import { listIn, objectIn } from "./json-values.ts";

const instance = "/v1/instance";
const userData = "/v1/user-data";
const sshKeys = "/v1/ssh-keys";
const maxUserDataBytes = 1024 * 1024;
const ipv4 = "http://169.254.169.254";
const ipv6 = "http://[fd00:a9fe:a9fe::1]";
/** What the cloud says to a machine that has no metadata, or has it in one family only. */
const flagsFile = "/sys/class/dmi/id/board_serial";
/** As clouds have it that say nothing of the form: the bytes themselves. */
const asTheyAre = { accept: "*/*" };

/**
 * Akamai Connected Cloud, once Linode
 * (https://techdocs.akamai.com/cloud-computing/docs/metadata-service-api). User-data comes in base64,
 * and counts as it is where it is none. In regions without the service the firmware says so, and the machine is left alone.
 */
export const akamai: Cloud = {
  name: "Akamai",
  service: {
    addresses: [ipv4, ipv6],
    headers: { accept: "application/json" },
    token: {
      method: "PUT",
      path: "/v1/token",
      headers: { ...asTheyAre, "metadata-token-expiry-seconds": "300" },
      header: "metadata-token",
    },
    probe: instance,
  },
  identify({ sysVendor }) {
    const isAkamai = sysVendor === "Linode" || sysVendor === "Akamai";
    return isAkamai ? `system vendor: ${sysVendor}` : undefined;
  },
  addressesOn(files) {
    const flags = files.readText(flagsFile, { maxBytes: 4096 }) ?? "";
    const isOff = (name: string) => new RegExp(`(?:^|[^a-z0-9])${name}=0\\s*(?:;|$)`).test(flags);
    const inNoStage = isOff("als") && isOff("ais");
    const addresses = [...(isOff("v4") ? [] : [ipv4]), ...(isOff("v6") ? [] : [ipv6])];
    if (!inNoStage && addresses.length > 0) return addresses;
    throw new Fault("datasource/none", "Akamai: the firmware says that there is no metadata here");
  },
  async crawl(client) {
    await client.get(instance);
    await client.get(userData, { headers: asTheyAre, raw: true, maxBytes: maxUserDataBytes });
    await client.get(sshKeys, { without: "warning" });
  },
  read(answers) {
    const said = answers.object(instance);
    return {
      metaData: {
        "instance-id": said["id"],
        "public-keys": publicKeys(answers),
        region: said["region"],
        "instance-type": said["type"],
        label: said["label"],
        tags: said["tags"],
        host_uuid: said["host_uuid"],
      },
      userData: decodedOrSame(answers.bytes(userData)),
    };
  },
};

/** Keys of root: the others are of users that are none of this machine's. */
function publicKeys(answers: AnswerReader) {
  return listIn(objectIn(objectIn(answers.json(sshKeys))["users"])["root"]);
}
