import { decodeBase64 } from "../base64.ts";
import type { AnswerReader, Cloud } from "../cloud.ts";
import { objectIn } from "./json-values.ts";

const metaData = "/v1/metadata";
const userData = "/v1/userdata";
const maxUserDataBytes = 1024 * 1024;

/**
 * CloudCIX (https://docs.cloud-init.io/en/latest/reference/datasources/cloudcix.html). User-data is
 * in base64 or not.
 */
export const cloudCix: Cloud = {
  name: "CloudCIX",
  service: { addresses: ["http://169.254.169.254"], probe: metaData },
  identify({ productName }) {
    return productName === "CloudCIX" ? `product name: ${productName}` : undefined;
  },
  async crawl(client) {
    await client.get(metaData);
    await client.get(userData, { raw: true, maxBytes: maxUserDataBytes });
  },
  read(answers) {
    const said = answers.object(metaData);
    const network = objectIn(said["network"]);
    return {
      metaData: {
        // The service writes it with an underscore, which cloud-init does not read.
        "instance-id": said["instance-id"] ?? said["instance_id"],
        "local-hostname": said["local-hostname"],
        "public-keys": said["public-keys"],
        region: said["region"],
        "availability-zone": said["availability-zone"],
      },
      userData: readUserData(answers),
      networkConfig: Object.keys(network).length === 0 ? undefined : network,
    };
  },
};

/** What is no text, and what is no base64, is the document itself. */
function readUserData(answers: AnswerReader): Uint8Array | undefined {
  const bytes = answers.bytes(userData);
  return bytes && (decodeBase64(Buffer.from(bytes).toString("latin1")) ?? bytes);
}
