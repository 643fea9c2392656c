import { Fault } from "#core/fault.ts";
import type { AnswerReader, Cloud } from "../cloud.ts";
import { driveFiles, driveLimits, newestVersion } from "../drive-layout.ts";
import type { Identity } from "../identity.ts";
import { tellOfOther } from "./other-instance.ts";

const root = "/openstack";
const assetTags = [
  ...["OpenStack Nova", "OpenStack Compute", "OpenTelekomCloud", "SAP CCloud VM"],
  ...["HUAWEICLOUD", "Samsung Cloud Platform"],
];

/**
 * The metadata service of OpenStack (https://docs.openstack.org/nova/latest/user/metadata.html): what
 * a config drive says, over the network.
 */
export const openStack: Cloud = {
  name: "OpenStack",
  service: {
    addresses: ["http://[fe80::a9fe:a9fe]", "http://169.254.169.254"],
    probe: root,
    async speaksOf(said, ask) {
      const versions = said.split("\n").map((line) => line.trim());
      return uuidIn(await ask(`${root}/${newestVersion(versions)}/meta_data.json`));
    },
  },
  expected(identity) {
    const uuid = uuidOfNova(identity);
    return uuid === undefined ? [] : [uuid, otherByteOrder(uuid)];
  },
  identify({ productName, chassisAssetTag, initProductName }) {
    if (productName === "OpenStack Nova" || productName === "OpenStack Compute")
      return `product name: ${productName}`;
    // Containers of Nova.
    if (initProductName === "OpenStack Nova")
      return `environment of process 1: product_name=${initProductName}`;
    return assetTags.includes(chassisAssetTag)
      ? `chassis asset tag: ${chassisAssetTag}`
      : undefined;
  },
  async crawl(client) {
    const versions = ((await client.text(root)) ?? "").split("\n").map((line) => line.trim());
    for (const file of driveFiles) {
      await client.get(`${root}/${newestVersion(versions)}/${file}`, {
        ...{ raw: file === "user_data", maxBytes: driveLimits[file] },
        ...(file.startsWith("vendor_data") ? { without: "warning" } : {}),
      });
    }
  },
  async read(answers) {
    const { readDrive } = await import("../config-drive-documents.ts");
    const versions = answers.lines(root);
    const seed = readDrive({
      name: answers.url,
      read: (path) => answers.bytes(`/${path}`),
      list: (path) => (path === "" ? ["openstack"] : path === "openstack" ? versions : []),
    });
    const { dsmode } = seed;
    if (dsmode === "disabled" || dsmode === "pass")
      throw new Fault("datasource/none", `${answers.url}: the meta-data says dsmode: ${dsmode}`);
    compare(answers, seed.metaData.value["uuid"], versions);
    // The seed is another one in each answer, and would make each boot a change.
    const { random_seed: _seed, ...value } = seed.metaData.value;
    return { metaData: { ...value, "availability-zone": value["availability_zone"] }, seed };
  },
};

/**
 * Machines that Nova runs by libvirt say so, and bear the instance's uuid in their firmware; others (Ironic,
 * VMware, Hyper-V) bear one of their own, so that it is not compared there.
 */
function compare(answers: AnswerReader, uuid: unknown, versions: readonly string[]): void {
  const ofFirmware = uuidOfNova(answers.identity);
  if (ofFirmware === undefined || typeof uuid !== "string" || !isUuid.test(uuid)) return;
  const said = uuid.toLowerCase();
  if (said === ofFirmware || said === otherByteOrder(ofFirmware)) return;
  const path = `${root}/${newestVersion(versions)}/meta_data.json`;
  tellOfOther(answers, path, { what: "uuid", said, ofFirmware });
}

/** The uuid of the instance, as firmware that Nova gives its machines has it. */
function uuidOfNova({ productName, productUuid }: Identity): string | undefined {
  const isOfNova = productName === "OpenStack Nova" || productName === "OpenStack Compute";
  return isOfNova && isUuid.test(productUuid) ? productUuid : undefined;
}

/** Of meta-data that is read, and judged, later. */
function uuidIn(text: string | undefined): string | undefined {
  try {
    const { uuid } = Object(JSON.parse(text ?? "")) as { readonly uuid?: unknown };
    return typeof uuid === "string" ? uuid.toLowerCase() : undefined;
  } catch {
    return undefined;
  }
}

const isUuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** As firmware before SMBIOS 2.6 has it: the first three fields are numbers of the processor's order. */
function otherByteOrder(uuid: string): string {
  const fields = uuid.split("-");
  const turned = fields
    .slice(0, 3)
    .map((field) => Buffer.from(field, "hex").reverse().toString("hex"));
  return [...turned, ...fields.slice(3)].join("-");
}
