import type { Json } from "#core/canonical-json.ts";
import type { Code } from "#core/codes.ts";
import { Fault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import { Secret, type SecretRef } from "#core/secret.ts";
import { type DatasourceContent, type Instance, rawDocuments } from "./datasource.ts";
import { type MetaData, metaDataFinding } from "./meta-data.ts";
import { redact } from "./meta-data-secrets.ts";
import { readPublicKeys } from "./public-keys.ts";

const maxInstanceIdLength = 256;

/** Raw documents as they came; an empty one counts as absent. */
export interface RawDocuments {
  readonly userData?: Uint8Array | undefined;
  readonly vendorData?: Uint8Array | undefined;
  readonly vendorData2?: Uint8Array | undefined;
  readonly networkConfig?: Uint8Array | undefined;
}

/** Where a datasource says its public keys, when it is not `public-keys` of the meta-data. */
export interface PublicKeysIn {
  /** Key of the meta-data, for findings. */
  readonly key: string;
  readonly value: Json;
}

/** What a datasource has read, before its secrets are set apart. */
export interface ReadInstance {
  readonly datasource: Instance["datasource"];
  readonly metaData: MetaData;
  readonly documents: RawDocuments;
  /** Default: `public-keys` of the meta-data. */
  readonly publicKeys?: PublicKeysIn;
  /** What stands for a missing instance-id, as cloud-init has it for this datasource. */
  readonly defaultInstanceId: string;
  readonly findings: readonly Finding[];
}

/**
 * What a datasource says, from what it has read: the well-known values of the meta-data, and every
 * secret beside it. Throws `datasource/malformed` for an instance-id that can be none.
 */
export function makeContent(read: ReadInstance): DatasourceContent {
  const { datasource, metaData } = read;
  const findings = [...read.findings, ...metaData.findings];
  const instanceId = readInstanceId(read, findings);
  const hostname = readHostname(metaData, findings);
  const publicKeys = readKeys(read, findings);
  const redacted = redact(metaData.value, "meta-data");
  const secrets = new Map<string, Secret<Uint8Array>>(redacted.secrets);
  const keep = (name: string, bytes: Uint8Array | undefined): SecretRef | null => {
    if (bytes === undefined || bytes.length === 0) return null;
    secrets.set(name, new Secret(bytes));
    return { secretRef: name };
  };
  const vendorData2 = keep(rawDocuments.vendorData2, read.documents.vendorData2);
  return {
    instance: {
      v: 1,
      datasource,
      instanceId,
      hostname,
      publicKeys,
      metaData: redacted.value,
      userData: keep(rawDocuments.userData, read.documents.userData),
      vendorData: keep(rawDocuments.vendorData, read.documents.vendorData),
      ...(vendorData2 === null ? {} : { vendorData2 }),
      networkConfig: keep(rawDocuments.networkConfig, read.documents.networkConfig),
    },
    secrets,
    findings,
  };
}

function readInstanceId(read: ReadInstance, findings: Finding[]): string {
  const value = read.metaData.value["instance-id"] ?? "";
  if (typeof value === "object")
    throw badInstanceId(read, "a text was expected, a collection came");
  const text = String(value);
  if (text === "") {
    const finding = metaDataFinding(read.metaData, ["instance-id"], {
      level: "note", // all that was asked for is done
      code: "datasource/default-instance-id",
      message: `no instance-id: ${read.defaultInstanceId} is taken, which every machine without one has`,
      hint: "write instance-id into the meta-data, and change it for each new instance",
    });
    findings.push(finding);
    return read.defaultInstanceId;
  }
  if (text.length > maxInstanceIdLength || /\p{C}/u.test(text)) {
    throw badInstanceId(
      read,
      `at most ${maxInstanceIdLength} characters were expected, all printable`,
    );
  }
  return text;
}

function badInstanceId(read: ReadInstance, problem: string): Fault {
  return new Fault(
    "datasource/malformed",
    `${read.datasource.place}: meta-data: instance-id: ${problem}`,
  );
}

function readHostname(metaData: MetaData, findings: Finding[]): string | null {
  for (const key of ["local-hostname", "hostname"]) {
    const value: Json = metaData.value[key] ?? "";
    if (value === "") continue;
    if (typeof value === "string") return value;
    const finding = metaDataFinding(metaData, [key], {
      level: "warning",
      code: "datasource/unused-value",
      message: `a name was expected, a ${typeof value} came; it is not used`,
      hint: "write the host name as text, in quotes where it looks like a number",
    });
    findings.push(finding);
  }
  return null;
}

function readKeys({ metaData, publicKeys }: ReadInstance, findings: Finding[]): readonly string[] {
  const key = publicKeys?.key ?? "public-keys";
  const { keys, unused, doubtful } = readPublicKeys(publicKeys?.value ?? metaData.value[key]);
  const hint =
    "write a public key as ssh-keygen prints it (`ssh-ed25519 AAAA… name`), a list or a mapping of them";
  const say = (path: readonly (string | number)[], code: Code, message: string) => {
    const finding = { level: "warning", code, message, hint } as const;
    findings.push(metaDataFinding(metaData, [key, ...path], finding));
  };
  for (const path of unused)
    say(path, "datasource/unused-value", "this is no public key and not used");
  for (const path of doubtful)
    say(path, "datasource/not-a-key", "this does not look like a public ssh key");
  return keys;
}
