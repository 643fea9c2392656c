import type { Identity } from "../identity.ts";

/** A cloud that speaks like EC2, as cloud-init calls it, and what tells it. */
export interface Ec2Platform {
  readonly cloud: "aws" | "brightbox" | "zstack" | "e24cloud" | "tilaa" | "outscale";
  readonly observation: string;
}

/** Which of the clouds that speak like EC2 this is, by firmware and hypervisor; `undefined` where it is none. */
export function ec2PlatformOf(identity: Identity): Ec2Platform | undefined {
  const { productName, productSerial, sysVendor, chassisAssetTag } = identity;
  const as = (cloud: Ec2Platform["cloud"], observation: string) => ({ cloud, observation });
  const amazon = ofAmazon(identity);
  if (amazon !== undefined) return as("aws", amazon);
  if (productSerial.endsWith(".brightbox.com"))
    return as("brightbox", `product serial: ${productSerial}`);
  if (chassisAssetTag.endsWith(".zstack.io"))
    return as("zstack", `chassis asset tag: ${chassisAssetTag}`);
  const vendor = `system vendor: ${sysVendor}`;
  if (sysVendor === "e24cloud") return as("e24cloud", vendor);
  if (sysVendor === "Tilaa") return as("tilaa", vendor);
  const isOutscale = sysVendor === "3DS Outscale" && productName === "3DS Outscale VM";
  return isOutscale ? as("outscale", vendor) : undefined;
}

/**
 * Machines of Amazon: their uuid begins so, and because one in thousands of others does as well, hypervisor
 * or firmware name the cloud too
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/identify_ec2_instances.html).
 */
function ofAmazon({
  productUuid,
  hypervisorUuid,
  hypervisorVersion,
  sysVendor,
  biosVersion,
}: Identity): string | undefined {
  const isNamed =
    sysVendor === "Amazon EC2" ||
    [biosVersion, hypervisorVersion].some((each) => /\.amazon$/i.test(each));
  if (!isNamed) return undefined;
  if (hypervisorUuid.startsWith("ec2")) return `hypervisor uuid: ${hypervisorUuid}`;
  // As the firmware stores it, or with its first field in the other byte order.
  const [start = ""] = productUuid.split("-");
  return /^ec2|2[0-9a-f]ec$/.test(start) ? `product uuid: ${productUuid}` : undefined;
}
