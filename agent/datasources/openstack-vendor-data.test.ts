import t from "tap";
import type { Json } from "#core/canonical-json.ts";
import { readJson } from "./json-document.ts";
import { readVendorData } from "./openstack-vendor-data.ts";

const text = "#cloud-config\n";
const archive = (parts: readonly string[]) => `#cloud-config-archive\n${JSON.stringify(parts)}\n`;

interface Case {
  readonly says: Json;
  readonly vendorData?: string;
  readonly findings?: readonly string[];
  readonly messages?: readonly string[];
}

const cases: Record<string, Case> = {
  "a text": { says: text, vendorData: text },
  "a list of texts": { says: [text, "#!/bin/sh"], vendorData: archive([text, "#!/bin/sh"]) },
  "a text under cloud-init": { says: { "cloud-init": text }, vendorData: text },
  "a list under cloud-init": { says: { "cloud-init": [text] }, vendorData: archive([text]) },
  "an empty object": { says: {} },
  "an empty text": { says: "" },
  "an empty list": { says: [] },
  "null under cloud-init": { says: { "cloud-init": null } },
  "an object for others": {
    says: { other: { "cloud-init": text } },
    findings: ["vendor_data.json note other"],
  },
  "an object under cloud-init": {
    says: { "cloud-init": { "cloud-init": text } },
    findings: ["vendor_data.json warning cloud-init"],
  },
  "a list that holds more than texts": {
    says: { "cloud-init": [text, 7] },
    vendorData: archive([text]),
    findings: ["vendor_data.json warning cloud-init.1"],
  },
  "many items and keys that are not used": {
    says: { x: 1, "cloud-init": [7, text, 8, 9], y: 2 },
    vendorData: archive([text]),
    findings: ["vendor_data.json note x", "vendor_data.json warning cloud-init.0"],
    messages: [
      "not used (and 1 more key): of vendor-data only `cloud-init` is read",
      "not used (and 2 more items): a text or a list of texts was expected",
    ],
  },
  "a number": { says: 7, findings: ["vendor_data.json warning "] },
};

for (const [name, { says, vendorData, findings = [], messages }] of Object.entries(cases)) {
  t.test(`vendor-data: ${name}`, async (t) => {
    const file = Buffer.from(JSON.stringify(says));
    const read = readVendorData(readJson(file, "vendor_data.json", "place"));
    t.equal(read.bytes === undefined ? undefined : Buffer.from(read.bytes).toString(), vendorData);
    t.strictSame(
      read.findings.map(({ document, level, path }) => `${document} ${level} ${path}`),
      findings,
    );
    if (messages !== undefined) {
      t.strictSame(
        read.findings.map(({ message }) => message),
        messages,
      );
    }
  });
}
