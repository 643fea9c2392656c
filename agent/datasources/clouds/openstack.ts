import { Fault } from "#core/fault.ts";
import type { Cloud } from "../cloud.ts";
import { driveFiles, driveLimits, newestVersion } from "../drive-layout.ts";

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
    // The seed is another one in each answer, and would make each boot a change.
    const { random_seed: _seed, ...value } = seed.metaData.value;
    return { metaData: { ...value, "availability-zone": value["availability_zone"] }, seed };
  },
};
