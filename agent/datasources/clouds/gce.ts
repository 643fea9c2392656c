import { decodeBase64 } from "../base64.ts";
import type { AnswerReader, Cloud, JsonObject } from "../cloud.ts";
import { gceNetwork, interfacesPath } from "./gce-network.ts";
import { Said } from "./said.ts";

const root = "/computeMetadata/v1/";
const instanceData = `${root}instance/attributes/?recursive=true`;
const projectData = `${root}project/attributes/?recursive=true`;
/** Lists their names, one a line. */
const serviceAccounts = `${root}instance/service-accounts/`;
/** What they may hold together: 512 KB (https://cloud.google.com/compute/docs/metadata/setting-custom-metadata). */
const maxAttributeBytes = 4 * 1024 * 1024;
/** What is read of the attributes by itself. */
const documents = ["user-data", "ssh-keys", "sshKeys"];

/**
 * Google Compute Engine (https://cloud.google.com/compute/docs/metadata/querying-metadata): user-data
 * and keys are attributes of the instance, keys of the project as well. Its other attributes are not kept:
 * they change with every machine of the project.
 */
export const gce: Cloud = {
  name: "GCE",
  service: {
    // `metadata.google.internal`, without asking a name server.
    addresses: ["http://169.254.169.254", "http://[fd20:ce::254]"],
    headers: { "metadata-flavor": "Google" },
    probe: `${root}instance/id`,
  },
  identify({ productName, productSerial }) {
    if (productName === "Google Compute Engine") return `product name: ${productName}`;
    return productSerial.startsWith("GoogleCloud-")
      ? `product serial: ${productSerial}`
      : undefined;
  },
  async crawl(client) {
    await client.get(`${root}instance/id`);
    await client.get(instanceData, { maxBytes: maxAttributeBytes }); // user-data among it
    await client.get(`${root}instance/hostname`, { without: "warning" });
    await client.get(interfacesPath, { without: "warning" });
    await client.get(projectData, { maxBytes: maxAttributeBytes, without: "warning" });
    for (const name of ["zone", "machine-type"])
      await client.get(`${root}instance/${name}`, { without: "note" });
    await client.get(serviceAccounts, { without: "note" });
  },
  workloadIdentity: (answers) =>
    answers.lines(serviceAccounts).length > 0 ? "a service account" : undefined,
  read(answers) {
    const at = (name: string) => answers.text(`${root}instance/${name}`);
    const instance = attributes(answers, instanceData);
    const project = attributes(answers, projectData);
    const hostname = at("hostname");
    const zone = lastOf(at("zone"));
    return {
      metaData: {
        "instance-id": at("id"),
        // As cloud-init has it: the full names are longer than a host name may be.
        "local-hostname": hostname?.split(".")[0],
        hostname,
        "public-keys": publicKeys(answers, instance, project),
        region: zone?.replace(/-[^-]*$/, ""),
        "availability-zone": zone,
        "instance-type": lastOf(at("machine-type")),
        "instance-data": withoutDocuments(instance),
      },
      userData: userData(answers, instance),
      ...(managesAddresses(instance, project) ? gceNetwork(answers) : {}),
    };
  },
};

/** `projects/123/zones/us-central1-a` -> `us-central1-a`. */
function lastOf(path: string | undefined): string | undefined {
  return path?.split("/").at(-1);
}

/**
 * Whether addresses and interfaces are to be set up, as Google's own agent asks it: the instance says it
 * before the project.
 */
function managesAddresses(instance: Attributes, project: Attributes): boolean {
  const words = [instance, project].map((each) => each.get("disable-address-manager")?.text());
  const said = words.find((word) => word !== undefined && /^(?:[01tf]|true|false)$/i.test(word));
  return said === undefined || !/^(?:1|t|true)$/i.test(said);
}

type Attributes = ReadonlyMap<string, Said>;

function attributes(answers: AnswerReader, path: string): Attributes {
  if (answers.bytes(path) === undefined) return new Map();
  return new Map(Said.in(answers, path).entries());
}

function withoutDocuments(all: Attributes): JsonObject {
  const kept = [...all].filter(([name]) => !documents.includes(name));
  return Object.fromEntries(kept.map(([name, { json = null }]) => [name, json]));
}

function userData(answers: AnswerReader, instance: Attributes): Uint8Array | undefined {
  const said = instance.get("user-data");
  const encoding = instance.get("user-data-encoding")?.text();
  if (encoding === undefined || said === undefined) return said?.bytes();
  if (encoding !== "base64") {
    answers.find(instanceData, {
      level: "warning",
      code: "datasource/unused-value",
      message: `this user-data-encoding is not known; the user-data is taken as it came`,
      hint: "use base64, or leave it out",
    });
    return said.bytes();
  }
  const decoded = decodeBase64(said.text() ?? "");
  if (decoded === undefined) throw said.wrong("base64 was expected, another text came");
  return decoded;
}

/**
 * Keys of the default user (`USER:ssh-ed25519 AAAA…`, a line each) that have not run out, of the
 * instance and, unless it says otherwise, of the project. Keys of other users are named: accounts are
 * made by the user-data alone.
 */
function publicKeys(
  answers: AnswerReader,
  instance: Attributes,
  project: Attributes,
): readonly string[] {
  const old = instance.get("sshKeys")?.text();
  const isBlocked = instance.get("block-project-ssh-keys")?.text()?.toLowerCase() === "true";
  const withProject = !isBlocked && old === undefined;
  const texts = [
    ...[old, instance.get("ssh-keys")?.text()],
    ...(withProject ? [project.get("ssh-keys")?.text(), project.get("sshKeys")?.text()] : []),
  ];
  const lines = texts.flatMap((text) => text?.split(/\r?\n/) ?? []);
  const keys: string[] = [];
  const others = new Set<string>();
  for (const line of lines) {
    const [, user, key] = /^\s*([^:\s]+):(.*\S)\s*$/.exec(line) ?? [];
    if (user === undefined || key === undefined || hasRunOut(key, answers)) continue;
    if (user === "cloudinit" || user === answers.defaultUser) keys.push(key);
    else others.add(user);
  }
  if (others.size > 0) {
    answers.find(instanceData, {
      level: "note",
      code: "datasource/not-read",
      message: `ssh keys of ${others.size === 1 ? "another user are" : `${others.size} other users are`} not used: only those of ${answers.defaultUser} are`,
      hint: "write their accounts with their keys into the user-data",
    });
  }
  return keys;
}

/**
 * Whether a key says by its comment that its time is over: `google-ssh {"userName":"…","expireOn":
 * "2026-01-01T00:00:00+0000"}` (https://cloud.google.com/compute/docs/connect/add-ssh-keys). One that
 * cannot be understood is not over.
 */
function hasRunOut(key: string, machine: Pick<AnswerReader, "now">): boolean {
  const comment = /^\S+\s+\S+\s+google-ssh\s+(\{.*\})$/.exec(key)?.[1];
  const time = /"expireOn"\s*:\s*"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(Z|[+-]\d\d:?\d\d)"/.exec(
    comment ?? "",
  );
  if (time === null) return false;
  const zone = time[2] === "Z" ? "Z" : time[2]?.replace(/^(...):?/, "$1:");
  const expires = Date.parse(`${time[1]}${zone}`);
  return machine.now() > expires;
}
