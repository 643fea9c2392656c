import { Fault, isFault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { readUtf8 } from "#provisioner/userdata/utf8-text.ts";
import { decodeBase64 } from "./base64.ts";
import { type BlockDevice, listBlockDevices, openBlockDevice } from "./block-devices.ts";
import type { LocalDocument } from "./cloud.ts";
import { readIdentity } from "./identity.ts";
import { openImage } from "./images/image.ts";
import { probeUdf } from "./images/udf.ts";
import { openVolume } from "./images/volume.ts";
import { elementAt, escapeXml, readXml, type XmlElement } from "./xml.ts";

const file = "ovf-env.xml";
const seedDirectory = "/var/lib/cloud/seed/azure";
/** Azure takes the disc away after the first boot that it was told of. */
const keptDirectory = "/var/lib/firstlight/azure";
const maxBytes = 2 * 1024 * 1024;

/** What `ovf-env.xml` says of the machine. */
export interface OvfEnv {
  readonly hostname: string | undefined;
  readonly userName: string | undefined;
  readonly hasPassword: boolean;
  readonly customData: Uint8Array | undefined;
  /** Those that it says itself, not only by a fingerprint. */
  readonly publicKeys: readonly string[];
}

/**
 * The document of this machine: of its seed directory, of the disc of the provisioning (UDF), or as it
 * was kept from an earlier boot.
 */
export function findOvfEnv(files: Files): LocalDocument {
  const nothing = { place: file, bytes: undefined, problem: undefined };
  let broken: LocalDocument | undefined;
  const kept = keptFile(files);
  const places = [
    () => readFile(files, `${seedDirectory}/${file}`),
    ...listBlockDevices(files)
      .filter(({ name }) => /^sr\d+$/.test(name))
      .map((device) => () => readDisc(files, device)),
    ...(kept === undefined ? [] : [() => readFile(files, kept)]),
  ];
  for (const read of places) {
    const found = read();
    if (found.bytes !== undefined && isAzures(found.bytes)) return found;
    broken ??= found.problem === undefined ? undefined : found;
  }
  return broken ?? nothing;
}

/**
 * Keeps the document for later boots, without the password: bound to this machine, so that nobody who
 * copies its disk is taken for it.
 */
export function keepOvfEnv(files: Files): void {
  const kept = keptFile(files);
  const document = findOvfEnv(files);
  const said = document.place === kept ? undefined : readOvfEnv(document);
  if (kept === undefined || said === undefined) return;
  const text = textOf(said);
  for (const name of files.list(keptDirectory)) {
    const other = `${keptDirectory}/${name}`;
    if (other !== kept) files.remove(other);
  }
  if (files.readText(kept, { maxBytes: 2 * maxBytes }) === text) return;
  files.write(kept, text, { mode: 0o600 });
}

/**
 * What a document says; `undefined` where there is none. Throws `datasource/malformed` for one that
 * cannot be meant.
 */
export function readOvfEnv(document: LocalDocument | undefined): OvfEnv | undefined {
  if (document?.bytes === undefined) return undefined;
  const set = configurationSet(document.bytes);
  const text = (name: string) => elementAt(set, name)?.text || undefined;
  const encoded = text("CustomData");
  const customData = encoded === undefined ? undefined : decodeBase64(encoded);
  if (encoded !== undefined && customData === undefined) {
    const problem = "CustomData: base64 was expected, another text came";
    throw new Fault("datasource/malformed", `${document.place}: ${problem}`);
  }
  const keys = elementAt(set, "SSH", "PublicKeys")?.elements ?? [];
  return {
    hostname: text("HostName"),
    userName: text("UserName"),
    hasPassword: text("UserPassword") !== undefined,
    customData,
    publicKeys: keys.flatMap((key) => elementAt(key, "Value")?.text || []),
  };
}

/** Other discs have an `ovf-env.xml` as well. */
function isAzures(bytes: Uint8Array): boolean {
  return configurationSet(bytes) !== undefined;
}

function configurationSet(bytes: Uint8Array): XmlElement | undefined {
  const { text } = readUtf8(bytes);
  const root = text === undefined ? undefined : readXml(text);
  return elementAt(root, "ProvisioningSection", "LinuxProvisioningConfigurationSet");
}

/** Where the document of this machine is kept; `undefined` where the firmware has no number of it. */
function keptFile(files: Files): string | undefined {
  const { productUuid } = readIdentity(files);
  return /^[0-9a-f-]{36}$/.test(productUuid)
    ? `${keptDirectory}/ovf-env-${productUuid}.xml`
    : undefined;
}

function readFile(files: Files, place: string): LocalDocument {
  return { place, bytes: files.read(place, { maxBytes: 2 * maxBytes }), problem: undefined };
}

function readDisc(files: Files, device: BlockDevice): LocalDocument {
  const place = `${device.node}: ${file}`;
  try {
    const access = openBlockDevice(files, device);
    try {
      const volume = probeUdf(openImage(access, device.node)) ?? openVolume(access, device.node);
      return { place, bytes: volume?.read(file, maxBytes), problem: undefined };
    } finally {
      access.close();
    }
  } catch (error) {
    if (!isFault(error)) throw error;
    // A drive may be empty: then there is nothing to miss.
    const problem = isFault(error, "io/read-failed") ? undefined : error;
    return { place, bytes: undefined, problem };
  }
}

function textOf({ hostname, userName, hasPassword, customData, publicKeys }: OvfEnv): string {
  const element = (name: string, text: string | undefined) =>
    text === undefined ? "" : `<${name}>${escapeXml(text)}</${name}>`;
  const encoded = customData && Buffer.from(customData).toString("base64");
  const keys = publicKeys.map((key) => `<PublicKey>${element("Value", key)}</PublicKey>`).join("");
  return [
    "<Environment><ProvisioningSection><LinuxProvisioningConfigurationSet>",
    element("HostName", hostname),
    element("UserName", userName),
    element("UserPassword", hasPassword ? "REDACTED" : undefined),
    element("CustomData", encoded),
    `<SSH><PublicKeys>${keys}</PublicKeys></SSH>`,
    "</LinuxProvisioningConfigurationSet></ProvisioningSection></Environment>\n",
  ].join("");
}
