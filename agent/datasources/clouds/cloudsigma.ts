import { Fault } from "#core/fault.ts";
import { decodeBase64 } from "../base64.ts";
import type { Cloud } from "../cloud.ts";
import type { Line } from "../metadata/line.ts";
import type { LineTalk } from "../metadata/service.ts";
import { Said } from "./said.ts";

const port = "/dev/ttyS1";
/** The whole context of the server. */
const context = "/";
const userData = "cloudinit-user-data";
const maxBytes = 16 * 1024 * 1024;

/**
 * CloudSigma (https://docs.cloudsigma.com/en/latest/server_context.html): the host answers over a serial
 * port with one line of JSON.
 */
export const cloudSigma: Cloud = {
  name: "CloudSigma",
  onMachine: true,
  service: { addresses: [`serial:${port}`], probe: context, speak, devices: [port] },
  identify: ({ productName }) =>
    productName === "CloudSigma" ? `product name: ${productName}` : undefined,
  addressesOn: (files) => [`serial:${files.hostPath(port)}`],
  async crawl(client) {
    await client.get(context, { maxBytes });
  },
  read(answers) {
    const said = Said.in(answers, context);
    const meta = said.get("meta");
    if (meta.get("cloudinit-dsmode").text() === "disabled")
      throw new Fault("datasource/none", `${answers.url}: cloudinit-dsmode: disabled`);
    const uuid = said.get("uuid").need();
    const name = said.get("name").text() ?? "";
    const encoded = meta.get("base64_fields").text()?.split(",") ?? [];
    const given = meta.get(userData);
    const bytes = given.bytes();
    const isEncoded = bytes !== undefined && encoded.includes(userData);
    const decoded = isEncoded ? decodeBase64(given.need()) : bytes;
    if (isEncoded && decoded === undefined)
      throw given.wrong("base64 was expected, another text came");
    return {
      metaData: {
        "instance-id": uuid,
        "local-hostname": /^[A-Za-z0-9][A-Za-z0-9.-]{0,60}$/.test(name) ? name : uuid.split("-")[0],
        "public-keys": meta.get("ssh_public_key").text(),
        name,
        uuid,
      },
      userData: decoded,
      vendorData: said.get("vendor_data").get("cloudinit").bytes(),
    };
  },
};

/** A question is a key between two marks, the answer one line and an end of transmission. */
async function speak(line: Line): Promise<LineTalk> {
  return {
    async get(key) {
      await line.write(`<\n${key === context ? "" : key}\n>`);
      const answer = await line.readLine();
      return Buffer.from(answer.replaceAll("\u0004", ""));
    },
  };
}
