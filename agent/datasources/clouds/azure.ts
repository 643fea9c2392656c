import { decodeBase64 } from "../base64.ts";
import type { AnswerReader, Cloud, JsonObject } from "../cloud.ts";
import { ready } from "./azure-ready.ts";
import { Said } from "./said.ts";

const root = "/metadata/instance?api-version=";
const newest = `${root}2021-08-01&extended=true`;
const oldest = `${root}2019-06-01`;
/** Says to which tenant the instance's own identity belongs, and 400 where it has none. No token is asked for. */
const identity = "/metadata/identity/info?api-version=2018-02-01";
const asset = "7783-7084-3265-9085-8269-3286-77";
/** What stays the same, and is nobody's secret. */
const computeKeys = [
  ...["location", "name", "offer", "osType", "publisher", "resourceGroupName", "resourceId", "sku"],
  ...["subscriptionId", "tagsList", "version", "vmId", "vmScaleSetName", "vmSize", "zone"],
];
/** Of every interface; the ones that share its address are its fast paths. */
const driver = "hv_netvsc";

/**
 * Microsoft Azure (https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service): what
 * the service says (its user data among it), and what `ovf-env.xml` on the disc of the provisioning
 * says, of which custom data is nowhere else. Custom data goes before user data.
 */
export const azure: Cloud = {
  name: "Azure",
  service: {
    addresses: ["http://169.254.169.254"],
    headers: { metadata: "true" },
    probe: oldest,
    // Not there yet, and away for a while.
    passing: [404, 410],
  },
  identify: ({ chassisAssetTag, markFiles }) => {
    if (chassisAssetTag === asset) return `chassis asset tag: ${chassisAssetTag}`;
    const seed = markFiles.find((path) => path.endsWith("/azure/ovf-env.xml"));
    return seed === undefined ? undefined : `file: ${seed}`;
  },
  async crawl(client) {
    // Where the newest version is not known, as in Azure Stack, 400 is answered.
    const found = await client.get(newest, { absentOn: [400] });
    if (found === undefined) await client.get(oldest);
    // Where a version or a cloud has none of it, as in Azure Stack, it is not there.
    await client.get(identity, { without: "note", absentOn: [400, 403, 404, 405, 410] });
  },
  workloadIdentity: (answers) =>
    answers.bytes(identity) === undefined ? undefined : "a managed identity",
  async local(files) {
    const { findOvfEnv } = await import("../azure-ovf-env.ts");
    return findOvfEnv(files);
  },
  ready: {
    ...ready,
    async keep(files) {
      const { keepOvfEnv } = await import("../azure-ovf-env.ts");
      keepOvfEnv(files);
    },
  },
  async read(answers) {
    const said = Said.in(answers, answers.bytes(newest) === undefined ? oldest : newest);
    const compute = said.get("compute");
    const profile = compute.get("osProfile");
    const { readOvfEnv } = await import("../azure-ovf-env.ts");
    const disc = readOvfEnv(answers.local);
    const user = profile.get("adminUsername").text() ?? disc?.userName;
    tellOfUser(answers, user, disc?.hasPassword === true);
    return {
      metaData: {
        "instance-id": compute.get("vmId").need().toLowerCase(),
        "local-hostname": profile.get("computerName").text() ?? disc?.hostname,
        "public-keys": publicKeys(answers, said, disc?.publicKeys ?? []),
        region: compute.get("location").text(),
        // Other than in cloud-init, which has the fault domain here: that one changes.
        "availability-zone": compute.get("zone").text(),
        "instance-type": compute.get("vmSize").text(),
        imds: { compute: pickCompute(compute) },
      },
      userData: userData(answers, said, disc?.customData),
      networkConfig: networkConfig(said),
    };
  },
};

function pickCompute(compute: Said): JsonObject {
  const there = computeKeys.flatMap((key) => {
    const { json } = compute.get(key);
    return json === undefined || json === "" ? [] : [[key, json] as const];
  });
  return Object.fromEntries(there);
}

/** The account that Azure names is nobody's here: accounts are made by the user-data. */
function tellOfUser(answers: AnswerReader, user: string | undefined, hasPassword: boolean): void {
  const hint = "write the account with its keys and its password into the user-data";
  if (hasPassword) {
    answers.find("ovf-env.xml", {
      ...{ level: "warning", code: "datasource/not-read", hint },
      message: "the password of the account that Azure names is not used",
    });
  }
  if (user !== undefined && user !== answers.defaultUser) {
    answers.find(newest, {
      ...{ level: "note", code: "datasource/not-read", hint },
      message: `the account that Azure names is not made: its keys are those of ${answers.defaultUser}`,
    });
  }
}

/** Keys of the service; where it has none those of the disc. Azure breaks old ones into lines. */
function publicKeys(
  answers: AnswerReader,
  said: Said,
  ofDisc: readonly string[],
): readonly string[] {
  const ofService = said
    .get("compute")
    .get("publicKeys")
    .items()
    .flatMap((key) => key.get("keyData").text() ?? []);
  const all = (ofService.length > 0 ? ofService : ofDisc).map((key) =>
    key.trim().replaceAll("\r\n", ""),
  );
  const keys = all.filter((key) =>
    /^(?:ssh|ecdsa|sk)-\S+ +[A-Za-z0-9+/]+=*(?: [^\n]*)?$/.test(key),
  );
  if (keys.length < all.length) {
    answers.find(newest, {
      level: "warning",
      code: "datasource/unused-value",
      message: "a public key is not used: it is none of OpenSSH's",
      hint: "give the key as ssh-keygen prints it (`ssh-ed25519 AAAA… name`)",
    });
  }
  return keys;
}

function userData(
  answers: AnswerReader,
  said: Said,
  customData: Uint8Array | undefined,
): Uint8Array | undefined {
  const given = said.get("compute").get("userData");
  const text = given.text();
  if (customData !== undefined && customData.length > 0) {
    if (text !== undefined) {
      answers.find(newest, {
        level: "note",
        code: "datasource/not-read",
        message: "the user data is not used: the custom data comes first",
        hint: "give only one of them",
      });
    }
    return customData;
  }
  const decoded = text === undefined ? undefined : decodeBase64(text);
  if (text !== undefined && decoded === undefined)
    throw given.wrong("base64 was expected, another text came");
  const hasCustomData = String(said.get("extended").get("compute").get("hasCustomData").json);
  if (hasCustomData.toLowerCase() === "true") missesCustomData(answers);
  return decoded;
}

/** A disc that is there must say it; one that is gone took it along. */
function missesCustomData(answers: AnswerReader): void {
  const { problem } = answers.local ?? {};
  if (problem !== undefined) throw problem;
  answers.find("ovf-env.xml", {
    level: "warning",
    code: "datasource/not-read",
    message: "the machine has custom data, but there is no disc that says it",
    hint: "the disc is taken away after the first boot: give it as user data, which stays",
  });
}

/**
 * Where there is more than one interface, or one has more than one address: each by DHCP, further
 * addresses fixed. One needs nothing said, because that is what a machine does by itself.
 */
function networkConfig(said: Said): JsonObject | undefined {
  const interfaces = said
    .get("network")
    .get("interface")
    .items()
    .map((each) => ({
      mac: macOf(each),
      ipv4: addressesOf(each.get("ipv4"), "24"),
      ipv6: addressesOf(each.get("ipv6"), "128"),
    }))
    .filter(({ ipv4, ipv6 }) => ipv4.length + ipv6.length > 0);
  const isPlain = interfaces.every(({ ipv4, ipv6 }) => ipv4.length < 2 && ipv6.length === 0);
  if (interfaces.length < 2 && isPlain) return undefined;
  const ethernets = interfaces.map(({ mac, ipv4, ipv6 }, index) => {
    const addresses = [...ipv4.slice(1), ...ipv6.slice(1)];
    // The first one leads out, and its name servers are the machine's.
    const overrides = {
      "route-metric": (index + 1) * 100,
      ...(index === 0 ? {} : { "use-dns": false }),
    };
    const several = interfaces.length > 1;
    return [
      `eth${index}`,
      {
        match: { macaddress: mac, driver },
        ...{ dhcp4: true, dhcp6: ipv6.length > 0, optional: index > 0 },
        ...(several ? { "dhcp4-overrides": overrides } : {}),
        ...(several && ipv6.length > 0 ? { "dhcp6-overrides": overrides } : {}),
        ...(addresses.length === 0 ? {} : { addresses }),
      },
    ];
  });
  return { version: 2, ethernets: Object.fromEntries(ethernets) };
}

/** `000D3A047598` -> `00:0d:3a:04:75:98`. */
function macOf(said: Said): string {
  const mac = said.get("macAddress").need().toLowerCase();
  return /^[0-9a-f]{12}$/.test(mac) ? (mac.match(/../g)?.join(":") ?? mac) : mac;
}

function addressesOf(said: Said, otherwise: string): readonly string[] {
  const prefix = said.get("subnet").items()[0]?.get("prefix").text() ?? otherwise;
  return said
    .get("ipAddress")
    .items()
    .flatMap((each) => {
      const address = each.get("privateIpAddress").text();
      return address === undefined ? [] : [`${address}/${prefix}`];
    });
}
