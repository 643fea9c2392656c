import type { Json } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { PublicKeysIn } from "./content.ts";
import { quoted } from "./images/image.ts";
import {
  isJsonList,
  isJsonObject,
  type JsonDocument,
  type JsonObject,
  jsonFinding,
  requireObject,
} from "./json-document.ts";
import type { MetaData } from "./meta-data.ts";
import { readPublicKeys } from "./public-keys.ts";

const maxNamedFiles = 12;

/** The meta-data of OpenStack, by the names that cloud-init gives its values. */
export interface OpenStackMetaData {
  readonly metaData: MetaData;
  readonly publicKeys: PublicKeysIn;
  readonly findings: readonly Finding[];
  /** `meta.dsmode`: the owner's word on whether this datasource is wanted. */
  readonly dsmode: Json | undefined;
}

/**
 * `meta_data.json` (https://docs.openstack.org/nova/latest/user/metadata.html): `uuid` is the
 * instance-id, `hostname` the host name. Throws `datasource/malformed` when it is no object or has no
 * uuid. `place` stands in messages.
 */
export function readOpenStackMetaData(document: JsonDocument, place: string): OpenStackMetaData {
  const value = requireObject(document, place);
  const uuid = value["uuid"];
  if (typeof uuid !== "string" || uuid === "") {
    const came = uuid === undefined ? "there is none" : "its value is none";
    throw new Fault(
      "datasource/malformed",
      `${place}: ${document.name}: the uuid of the instance was expected, ${came}`,
      { hint: "write uuid as text, and change it for each new instance" },
    );
  }
  const { meta, hostname } = value;
  const publicKeys = findPublicKeys(document, value);
  return {
    metaData: {
      value: {
        ...value,
        "instance-id": uuid,
        ...(typeof hostname === "string" ? { "local-hostname": hostname } : {}),
      },
      findings: [],
      document: document.name,
      locate: ([first = "", ...rest]) =>
        document.locate([writtenNames.get(first) ?? first, ...rest], "key"),
    },
    publicKeys: publicKeys.found,
    findings: [...publicKeys.findings, ...findFiles(document, value)],
    dsmode: isJsonObject(meta) ? meta["dsmode"] : undefined,
  };
}

const writtenNames: ReadonlyMap<string | number, string> = new Map([
  ["instance-id", "uuid"],
  ["local-hostname", "hostname"],
]);

/** `public_keys`; where it holds none, the ones of the type `ssh` in `keys`. */
function findPublicKeys(
  document: JsonDocument,
  value: JsonObject,
): { readonly found: PublicKeysIn; readonly findings: readonly Finding[] } {
  const named = value["public_keys"] ?? null;
  const list = isJsonList(value["keys"]) ? value["keys"] : [];
  const sshKeys = list.map((key) =>
    isJsonObject(key) && key["type"] === "ssh" ? (key["data"] ?? null) : null,
  );
  const hasNamed = readPublicKeys(named).keys.length > 0;
  const used = new Set(readPublicKeys(hasNamed ? named : sshKeys).keys);
  const unused = list.flatMap((_key, index): readonly Finding[] => {
    const { keys } = readPublicKeys(sshKeys[index]);
    if (keys.length > 0 && keys.every((key) => used.has(key))) return [];
    const message =
      keys.length > 0
        ? "not used: public_keys has others"
        : "not used: only keys of the type ssh with their data are";
    const hint = "name the key in public_keys, or in ssh_authorized_keys of the user-data";
    const about = { level: "note", code: "datasource/not-read", message, hint } as const;
    return [jsonFinding(document, ["keys", index], about)];
  });
  const found = hasNamed || list.length === 0 ? named : sshKeys;
  return {
    found: { key: found === named ? "public_keys" : "keys", value: found },
    findings: unused,
  };
}

/** Injected files: cloud-init writes them at the first boot, here they are named. */
function findFiles(document: JsonDocument, value: JsonObject): readonly Finding[] {
  const { files } = value;
  if (files === undefined || files === null || (isJsonList(files) && files.length === 0)) return [];
  const names = (isJsonList(files) ? files : []).map((file) =>
    isJsonObject(file) && typeof file["path"] === "string" ? quoted(file["path"]) : "one unnamed",
  );
  const shown = names.slice(0, maxNamedFiles).join(", ") || "in a form that is not known";
  const more = names.length > maxNamedFiles ? ` and ${names.length - maxNamedFiles} more` : "";
  return [
    jsonFinding(document, ["files"], {
      level: "warning",
      code: "datasource/not-read",
      message: `injected files are not written: ${shown}${more}`,
      hint: "write them with write_files of the user-data",
    }),
  ];
}
