import { Fault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import { boundFindings } from "#provisioner/userdata/bound-findings.ts";
import type { RawDocuments } from "./content.ts";
import type { Drive } from "./drive.ts";
import { type DriveFile, driveFiles, driveLimits, newestVersion } from "./drive-layout.ts";
import { quoted } from "./images/image.ts";
import {
  isJsonObject,
  type JsonDocument,
  jsonFinding,
  readJson,
  requireObject,
} from "./json-document.ts";
import { type OpenStackMetaData, readOpenStackMetaData } from "./openstack-meta-data.ts";
import { type ConvertedNetwork, convertNetworkData } from "./openstack-network.ts";
import { readVendorData } from "./openstack-vendor-data.ts";

/** Names that a message lists at most. */
const maxNamed = 12;

/** What one config drive says, whole. */
export interface ConfigDriveSeed extends OpenStackMetaData {
  readonly documents: RawDocuments;
  /** For a person: which version, which files with how many bytes. */
  readonly evidence: string;
}

/**
 * Reads the newest version of a drive that is known, else `latest`. Throws `datasource/missing`
 * without meta_data.json, `datasource/malformed` for what cannot be read, or `io/…`.
 */
export function readDrive(drive: Drive): ConfigDriveSeed {
  const root = drive.list("");
  const present = root.includes("openstack") ? drive.list("openstack") : [];
  const directory = `openstack/${newestVersion(present)}`;
  const place = `${drive.name}: ${directory}`;
  const found = new Map<DriveFile, Uint8Array>();
  for (const file of driveFiles) {
    const bytes = drive.read(`${directory}/${file}`, driveLimits[file]);
    if (bytes !== undefined) found.set(file, bytes);
  }
  const json = (file: DriveFile) => {
    const bytes = found.get(file);
    return bytes === undefined ? undefined : readJson(bytes, file, place);
  };
  const document = json("meta_data.json");
  if (document === undefined) throw missing(place, root, present);
  const metaData = readOpenStackMetaData(document, place);
  const vendorData = readVendorData(json("vendor_data.json"));
  const vendorData2 = readVendorData(json("vendor_data2.json"));
  const network = readNetwork(json("network_data.json"), place);
  const sizes = [...found].map(([file, bytes]) => `${file} (${bytes.length} bytes)`);
  return {
    ...metaData,
    documents: {
      userData: found.get("user_data"),
      vendorData: vendorData.bytes,
      vendorData2: vendorData2.bytes,
      networkConfig: network.networkConfig,
    },
    findings: boundFindings([
      ...metaData.findings,
      ...vendorData.findings,
      ...vendorData2.findings,
      ...network.findings,
      ...legacyNetwork(document, found.has("network_data.json")),
      ...unread(drive, root, directory),
    ]),
    evidence: `${place}: ${sizes.join(", ")}`,
  };
}

function readNetwork(document: JsonDocument | undefined, place: string): ConvertedNetwork {
  if (document === undefined) return { networkConfig: undefined, findings: [] };
  requireObject(document, place);
  return convertNetworkData(document);
}

/** The network in ifupdown's form, which `network_config` points at. */
function legacyNetwork(document: JsonDocument, isReplaced: boolean): readonly Finding[] {
  const { value } = document;
  if (!isJsonObject(value) || (value["network_config"] ?? null) === null) return [];
  return [
    jsonFinding(document, ["network_config"], {
      level: isReplaced ? "note" : "warning",
      code: "datasource/legacy-network",
      message: isReplaced
        ? "not used: there is network_data.json"
        : "not used: this form is not read",
      hint: "describe the network in network_data.json",
    }),
  ];
}

/** What lies on the drive and is not read, one note each. */
function unread(drive: Drive, root: readonly string[], directory: string): readonly Finding[] {
  const about = (document: string, message: string): Finding => ({
    ...{ document, path: "", line: null, column: null, level: "note" },
    ...{ code: "datasource/not-read", message, hint: "put what you need of it into the user-data" },
  });
  const ec2 = root.includes("ec2") ? ["not read: the layout of EC2 says what openstack says"] : [];
  const others = drive
    .list(directory)
    .filter((name) => !driveFiles.some((known) => known === name.toLowerCase()));
  const named = others.slice(0, maxNamed).map(quoted).join(", ");
  const more = others.length > maxNamed ? ` and ${others.length - maxNamed} more` : "";
  return [
    ...ec2.map((message) => about(`${drive.name}: ec2`, message)),
    ...(others.length === 0
      ? []
      : [about(`${drive.name}: ${directory}`, `not read: ${named}${more}`)]),
  ];
}

function missing(place: string, root: readonly string[], versions: readonly string[]): Fault {
  const present = versions.length > 0 ? versions.map((name) => `openstack/${name}`) : root;
  const names = present.slice(0, maxNamed).map(quoted).join(", ");
  const isPlainIso = [...root, ...versions].some((name) =>
    /^openstac$|^\d{4}_\d\d_\d\d$/i.test(name),
  );
  const isVersion1 = root.includes("meta.js");
  return new Fault(
    "datasource/missing",
    `${place}/meta_data.json was expected, there is ${names === "" ? "no file" : `only ${names}`}`,
    {
      hint: isPlainIso
        ? "make the image with -J -r: plain ISO 9660 cuts and changes the names"
        : isVersion1
          ? "the layout of version 1 (meta.js) is not read: write openstack/latest/meta_data.json"
          : "write openstack/latest/meta_data.json with the uuid of the instance",
    },
  );
}
