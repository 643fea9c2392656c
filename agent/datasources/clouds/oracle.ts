import type { Json } from "#core/canonical-json.ts";
import { decodeBase64 } from "../base64.ts";
import type { AnswerReader, Cloud, JsonObject } from "../cloud.ts";
import { listIn, objectIn, textIn } from "./json-values.ts";

const versions = ["/opc/v2/", "/opc/v1/"] as const;
/** Of the cloud's own network. */
const mtu = 9000;

/**
 * Oracle Cloud Infrastructure
 * (https://docs.oracle.com/en-us/iaas/Content/Compute/Tasks/gettingmetadata.htm). Version 2 of the
 * service, else version 1. OCI Classic speaks like EC2 and is none of this.
 */
export const oracle: Cloud = {
  name: "Oracle",
  service: {
    addresses: ["http://169.254.169.254", "http://[fd00:c1::a9fe:a9fe]"],
    headers: { authorization: "Bearer Oracle" },
    probe: versions.map((version) => `${version}instance/`),
  },
  identify({ chassisAssetTag }) {
    const isOracle = chassisAssetTag === "OracleCloud.com";
    return isOracle ? `chassis asset tag: ${chassisAssetTag}` : undefined;
  },
  async crawl(client) {
    for (const version of versions) {
      if ((await client.get(`${version}instance/`)) === undefined) continue;
      await client.get(`${version}vnics/`, { without: "warning" });
      return;
    }
  },
  // Every instance has certificates there; whether a policy grants them anything only the cloud knows.
  workloadIdentity: () => "an instance principal",
  read(answers) {
    const version = versions.find((each) => answers.bytes(`${each}instance/`) !== undefined);
    const path = `${version ?? versions[0]}instance/`;
    const said = answers.object(path);
    const given = objectIn(said["metadata"]);
    return {
      metaData: {
        "instance-id": said["id"],
        "local-hostname": said["hostname"],
        "public-keys": given["ssh_authorized_keys"] ?? [],
        region: said["canonicalRegionName"] ?? said["region"],
        "availability-zone": said["ociAdName"] ?? said["availabilityDomain"],
        "instance-type": said["shape"],
        name: said["displayName"],
        "fault-domain": said["faultDomain"],
        "launch-index": 0,
      },
      userData: readUserData(answers, path, given["user_data"]),
      networkConfig: networkConfig(answers, `${version ?? versions[0]}vnics/`),
    };
  },
};

function readUserData(
  answers: AnswerReader,
  path: string,
  value: Json | undefined,
): Uint8Array | undefined {
  if (value === undefined || value === null) return undefined;
  const bytes = typeof value === "string" ? decodeBase64(value) : undefined;
  if (bytes === undefined) throw answers.malformed(path, "user_data: base64 was expected");
  return bytes;
}

/** The first interface by DHCP, the others as they are said; the cloud itself has no DHCP there. */
function networkConfig(answers: AnswerReader, path: string): JsonObject | undefined {
  const vnics = listIn(answers.json(path)).map(objectIn);
  const [first] = vnics;
  if (first === undefined) return undefined;
  const isBareMetal = first["nicIndex"] !== undefined;
  const ethernets: Record<string, JsonObject> = {};
  for (const [index, vnic] of vnics.entries()) {
    const mac = textIn(vnic["macAddr"])?.toLowerCase();
    if (mac === undefined) throw answers.malformed(path, `${index}: macAddr was expected`);
    if (index > 0 && isBareMetal && vnic["vlanTag"] !== 0) {
      notRead(answers, path, `${index}: a VLAN of a bare metal machine is not configured`);
      continue;
    }
    const how = index === 0 ? leased(vnic) : staticOf(answers, path, vnic, index);
    if (how !== undefined) ethernets[`vnic${index}`] = { match: { macaddress: mac }, mtu, ...how };
  }
  return { version: 2, ethernets };
}

function leased(vnic: JsonObject): JsonObject {
  const isIpv6Only =
    textIn(vnic["privateIp"]) === undefined && textIn(vnic["ipv6VirtualRouterIp"]) !== undefined;
  return isIpv6Only ? { dhcp6: true } : { dhcp4: true };
}

/** Addresses with the length of their subnet; without any there is nothing to configure. */
function staticOf(
  answers: AnswerReader,
  path: string,
  vnic: JsonObject,
  index: number,
): JsonObject | undefined {
  const ipv4 = textIn(vnic["privateIp"]);
  const ipv6 = listIn(vnic["ipv6Addresses"]).map(textIn)[0];
  const addresses = [
    [ipv4, lengthOf(vnic["subnetCidrBlock"])],
    [ipv6, lengthOf(vnic["ipv6SubnetCidrBlock"])],
  ].flatMap(([address, length]) => {
    if (address === undefined) return [];
    if (length !== undefined) return [`${address}/${length}`];
    throw answers.malformed(path, `${index}: the subnet of ${address} was expected`);
  });
  return addresses.length === 0 ? undefined : { addresses, optional: true };
}

function lengthOf(block: Json | undefined): string | undefined {
  return /\/(\d{1,3})$/.exec(textIn(block) ?? "")?.[1];
}

function notRead(answers: AnswerReader, path: string, message: string): void {
  answers.find(path, {
    ...{ level: "warning", code: "datasource/not-read", message },
    hint: "say it under `firstlight: options` with systemd.network",
  });
}
