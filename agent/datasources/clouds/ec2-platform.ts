import type { Identity } from "../identity.ts";

/** A cloud that speaks like EC2, as cloud-init calls it, and what tells it. */
export interface Ec2Platform {
  readonly cloud: "aws" | "brightbox" | "zstack" | "e24cloud" | "tilaa" | "outscale";
  readonly observation: string;
}

/** Which of the clouds that speak like EC2 this is, by firmware and hypervisor; `undefined` where it is none. */
export function ec2PlatformOf({
  productUuid,
  productName,
  productSerial,
  hypervisorUuid,
  sysVendor,
  chassisAssetTag,
}: Identity): Ec2Platform | undefined {
  const as = (cloud: Ec2Platform["cloud"], observation: string) => ({ cloud, observation });
  if (hypervisorUuid.startsWith("ec2")) return as("aws", `hypervisor uuid: ${hypervisorUuid}`);
  // As the firmware stores it, or with its first field in the other byte order.
  const [start = ""] = productUuid.split("-");
  if (/^ec2|2[0-9a-f]ec$/.test(start)) return as("aws", `product uuid: ${productUuid}`);
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
