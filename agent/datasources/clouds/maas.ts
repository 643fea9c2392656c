import type { AnswerReader, Cloud } from "../cloud.ts";

const root = "/2012-03-01/";
const metaData = `${root}meta-data/`;
const maxBytes = 16 * 1024 * 1024;

/**
 * MAAS (https://canonical.com/maas/docs): address and keys are in cloud-init's settings, which the
 * installation of a machine writes (`maas.ts` beside this directory).
 */
export const maas: Cloud = {
  name: "MAAS",
  service: { addresses: [], probe: `${metaData}instance-id` },
  identify: () => undefined,
  async crawl(client) {
    for (const name of ["instance-id", "local-hostname"]) await client.get(`${metaData}${name}`);
    await client.get(`${root}user-data`, { maxBytes, raw: true });
    await client.get(`${metaData}public-keys`, { without: "warning" });
    await client.get(`${metaData}vendor-data`, { maxBytes, raw: true, without: "warning" });
  },
  async read(answers) {
    const need = (name: string) => {
      const text = answers.text(`${metaData}${name}`);
      if (text !== undefined) return text;
      throw answers.malformed(`${metaData}${name}`, "a text was expected, there is none");
    };
    return {
      metaData: {
        "instance-id": need("instance-id"),
        "local-hostname": need("local-hostname"),
        "public-keys": answers.text(`${metaData}public-keys`),
      },
      userData: answers.bytes(`${root}user-data`),
      vendorData: await vendorData(answers),
    };
  },
};

/** In YAML what OpenStack's is in JSON. */
async function vendorData(answers: AnswerReader): Promise<Uint8Array | undefined> {
  const path = `${metaData}vendor-data`;
  const value = answers.yaml(path);
  if (value === undefined) return undefined;
  const text = answers.text(path) ?? "";
  const document = { name: path, value, text, locate: () => undefined };
  const { readVendorData } = await import("../openstack-vendor-data.ts");
  const { bytes, findings } = readVendorData(document);
  for (const finding of findings) answers.find(path, finding);
  return bytes;
}
