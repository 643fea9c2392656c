import type { Json } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import { gunzip } from "#core/gunzip.ts";
import type { Io } from "#core/io.ts";
import { decodeBase64 } from "./base64.ts";
import { makeContent } from "./content.ts";
import type { DatasourceContent } from "./datasource.ts";
import { askGuestInfo } from "./guestinfo.ts";
import { readGuestInfoVariables } from "./guestinfo-variables.ts";
import { readIdentity } from "./identity.ts";
import { type MetaData, metaDataFinding, readMetaData } from "./meta-data.ts";
import type { VmwareDetection } from "./vmware.ts";

/** Of one document without its encoding. */
const maxBytes = 16 * 1024 * 1024;
const keyNames = ["public-keys-data", "public_keys_data", "public-keys", "public_keys"];
/** What cloud-init does for who asks so, and is not done. */
const requests = ["redact", "cleanup-guestinfo", "wait-on-network"];

/** Gives the text under a key of guestinfo. */
type Ask = (key: string) => Promise<string | undefined>;

/** Reads guestinfo. Throws `datasource/none` where it could be there, and is not. */
export async function readVmware(io: Io, detection: VmwareDetection): Promise<DatasourceContent> {
  const { place, identity, removable, evidence, tools } = detection;
  const variables = readGuestInfoVariables(io.files);
  const ask: Ask =
    tools.length === 0 ? async (key) => variables.get(key) : (key) => askGuestInfo(io, tools, key);
  const given = await readDocument(ask, "metadata");
  const userData = await readDocument(ask, "userdata");
  const vendorData = await readDocument(ask, "vendordata");
  if (given === undefined && userData === undefined && vendorData === undefined)
    throw new Fault("datasource/none", `${place}: there is nothing in it`);
  const read = readMetaData(given ?? new Uint8Array(), place);
  const { network, "network.encoding": encoding, ...said } = read.value;
  const { productUuid } = readIdentity(io.files);
  const fallback = productUuid === "" ? {} : { "instance-id": productUuid };
  const metaData: MetaData = { ...read, value: { ...fallback, ...said } };
  const key = keyNames.find((name) => said[name] !== undefined);
  const sizes = Object.entries({
    metadata: given,
    userdata: userData,
    vendordata: vendorData,
  }).flatMap(([name, bytes]) => (bytes === undefined ? [] : [`${name} (${bytes.length} bytes)`]));
  return makeContent({
    datasource: {
      ...{ name: "VMware", place, identity, removable },
      evidence: [...evidence, `${place}: ${sizes.join(", ")}`],
    },
    metaData,
    ...(key === undefined ? {} : { publicKeys: { key, value: said[key] ?? null } }),
    documents: { userData, vendorData, networkConfig: networkConfig(network, encoding) },
    defaultInstanceId: "iid-vmware",
    findings: requests.flatMap((name) => notDone(metaData, name)),
  });
}

async function readDocument(ask: Ask, key: string): Promise<Uint8Array | undefined> {
  const text = await ask(key);
  return text === undefined ? undefined : decode(text, await ask(`${key}.encoding`), key);
}

function decode(text: string, encoding: string | undefined, key: string): Uint8Array {
  const isPacked = encoding === "gzip+base64" || encoding === "gz+b64";
  if (!isPacked && encoding !== "base64" && encoding !== "b64") return Buffer.from(text);
  const bytes = decodeBase64(text);
  if (bytes === undefined) throw malformed(key, "base64 was expected, another text came");
  if (!isPacked) return bytes;
  try {
    return gunzip(bytes, maxBytes);
  } catch (error) {
    throw malformed(key, `gzip of at most ${maxBytes} bytes was expected`, error);
  }
}

/** A network-config as values, or as a document in one of the encodings. */
function networkConfig(
  network: Json | undefined,
  encoding: Json | undefined,
): Uint8Array | undefined {
  if (network === undefined || network === null || network === "") return undefined;
  if (typeof network === "string")
    return decode(
      network,
      typeof encoding === "string" ? encoding : undefined,
      "metadata: network",
    );
  if (typeof network === "object" && !Array.isArray(network))
    return Buffer.from(JSON.stringify(network));
  throw malformed("metadata: network", "a mapping or a text was expected");
}

function notDone(metaData: MetaData, name: string): readonly Finding[] {
  if (metaData.value[name] === undefined) return [];
  const finding = metaDataFinding(metaData, [name], {
    level: "note",
    code: "datasource/not-read",
    message: "not done: nothing is written to guestinfo, and no network is waited for",
    hint: "leave it out; what guestinfo holds can be taken back from outside",
  });
  return [finding];
}

function malformed(key: string, problem: string, cause?: unknown): Fault {
  return new Fault("datasource/malformed", `guestinfo.${key}: ${problem}`, { cause });
}
