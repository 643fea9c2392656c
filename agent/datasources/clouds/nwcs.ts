import type { Json } from "#core/canonical-json.ts";
import type { AnswerReader, Cloud, JsonObject } from "../cloud.ts";
import { listIn, objectIn, textIn } from "./json-values.ts";

const metaData = "/api/v1/metadata";

/**
 * NWCS (https://docs.cloud-init.io/en/latest/reference/datasources/nwcs.html). One document says
 * everything, user-data and network-config among it.
 */
export const nwcs: Cloud = {
  name: "NWCS",
  service: { addresses: ["http://169.254.169.254"], probe: metaData },
  identify({ sysVendor }) {
    return sysVendor === "NWCS" ? `system vendor: ${sysVendor}` : undefined;
  },
  async crawl(client) {
    await client.get(metaData);
  },
  async read(answers) {
    const said = answers.object(metaData);
    return {
      metaData: {
        "instance-id": said["instance-id"],
        "local-hostname": said["hostname"],
        "public-keys": said["public-keys"],
        "instance-type": said["machine_type"],
      },
      userData: documentIn(answers, "userdata", said["userdata"]),
      vendorData: await vendorData(answers, said["vendordata"]),
      networkConfig: networkConfig(answers, said["network"]),
    };
  },
};

function documentIn(
  answers: AnswerReader,
  key: string,
  value: Json | undefined,
): Uint8Array | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return Buffer.from(value, "utf8");
  throw answers.malformed(metaData, `${key}: a text was expected`);
}

/** A text, or one for cloud-init among others, as OpenStack has it. */
async function vendorData(answers: AnswerReader, value: Json | undefined) {
  if (typeof value !== "object" || value === null) return documentIn(answers, "vendordata", value);
  const { readVendorData } = await import("../openstack-vendor-data.ts");
  const document = { name: `${metaData}: vendordata`, value, text: "", locate: () => undefined };
  const { bytes, findings } = readVendorData(document);
  for (const finding of findings) answers.find(document.name, finding);
  return bytes;
}

/** Version 1, with the names that the interfaces have here in the place of the cloud's. */
function networkConfig(answers: AnswerReader, value: Json | undefined): JsonObject | undefined {
  const network = objectIn(value);
  const items = listIn(network["config"]);
  if (items.length === 0) return undefined;
  const config = items.map(objectIn).map((item) => {
    const name = answers.interfaces.get(textIn(item["mac_address"])?.toLowerCase() ?? "");
    return name === undefined ? item : { ...item, name };
  });
  return { ...network, config };
}
