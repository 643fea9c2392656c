import type { Json } from "#core/canonical-json.ts";
import type { Finding } from "#core/finding.ts";
import { isJsonList, isJsonObject, type JsonDocument, jsonFinding } from "./json-document.ts";

/** OpenStack's vendor-data as one document, and what is not in it. */
export interface VendorData {
  readonly bytes: Uint8Array | undefined;
  readonly findings: readonly Finding[];
}

/**
 * The vendor-data in `vendor_data.json` or `vendor_data2.json`: a text, a list of texts (each a
 * part, written as `#cloud-config-archive`), or one of these under the key `cloud-init`, as
 * cloud-init takes it (https://docs.cloud-init.io/en/latest/explanation/vendordata.html).
 */
export function readVendorData(document: JsonDocument | undefined): VendorData {
  const findings: Finding[] = [];
  const text = document === undefined ? undefined : readOne(document, findings);
  return { bytes: text === undefined ? undefined : Buffer.from(text, "utf8"), findings };
}

function readOne(document: JsonDocument, findings: Finding[]): string | undefined {
  const { value } = document;
  if (!isJsonObject(value)) return textOf({ document, path: [] }, value, findings);
  const ignored = Object.keys(value).filter((key) => key !== "cloud-init");
  if (ignored[0] !== undefined) {
    const more = andMore(ignored.length, "key");
    const finding = jsonFinding(document, [ignored[0]], {
      level: "note",
      code: "datasource/not-read",
      message: `not used${more}: of vendor-data only \`cloud-init\` is read`,
      hint: "put what the machine is to become under the key cloud-init",
    });
    findings.push(finding);
  }
  return textOf({ document, path: ["cloud-init"] }, value["cloud-init"] ?? null, findings);
}

interface Spot {
  readonly document: JsonDocument;
  readonly path: readonly (string | number)[];
}

/** Of what says nothing (null, an empty text, list or object) nothing. */
function textOf({ document, path }: Spot, value: Json, findings: Finding[]): string | undefined {
  const unused = (inner: readonly number[], more = "") => {
    const finding = jsonFinding(document, [...path, ...inner], {
      level: "warning",
      code: "datasource/unused-value",
      message: `not used${more}: a text or a list of texts was expected`,
      hint: "write the vendor-data as one text that begins with #cloud-config",
    });
    findings.push(finding);
  };
  if (value === null || value === "") return undefined;
  if (typeof value === "string") return value;
  if (!isJsonList(value)) {
    if (!isJsonObject(value) || Object.keys(value).length > 0) unused([]);
    return undefined;
  }
  const parts = value.filter((part) => typeof part === "string");
  const others = value.length - parts.length;
  const more = andMore(others, "item");
  if (others > 0) unused([value.findIndex((part) => typeof part !== "string")], more);
  return parts.length === 0 ? undefined : `#cloud-config-archive\n${JSON.stringify(parts)}\n`;
}

/** Of many, which share one finding, how many there are beside the one that it stands at. */
function andMore(count: number, noun: string): string {
  if (count < 2) return "";
  return ` (and ${count - 1} more ${noun}${count === 2 ? "" : "s"})`;
}
