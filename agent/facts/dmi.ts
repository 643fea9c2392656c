import type { Dmi } from "#generated/provisioner/facts/facts.ts";
import type { KernelFiles } from "./kernel-files.ts";

const directory = "/sys/class/dmi/id";

/**
 * Asset tags by which a platform names itself. Any other tag is its owner's label, or a serial
 * number, and stays on the machine. Sources: cloud-init `tools/ds-identify`, its OpenStack and
 * Azure datasources.
 */
const platformTags: ReadonlySet<string> = new Set([
  "7783-7084-3265-9085-8269-3286-77",
  "Amazon EC2",
  "HUAWEICLOUD",
  "OpenTelekomCloud",
  "OracleCloud.com",
  "SAP CCloud VM",
  "Samsung Cloud Platform",
]);

/**
 * What the firmware's SMBIOS tables say, or `null` when the kernel shows none. Serial numbers and
 * UUIDs, which only root may read, are never opened.
 */
export function readDmi(kernel: KernelFiles): Dmi | null {
  if (!kernel.exists(directory)) return null;
  const value = (name: string) => kernel.value(`${directory}/${name}`);
  const tag = value("chassis_asset_tag");
  return {
    sysVendor: value("sys_vendor"),
    productName: value("product_name"),
    productFamily: value("product_family"),
    productVersion: value("product_version"),
    productSku: value("product_sku"),
    boardVendor: value("board_vendor"),
    boardName: value("board_name"),
    boardVersion: value("board_version"),
    biosVendor: value("bios_vendor"),
    biosVersion: value("bios_version"),
    biosDate: isoDate(value("bios_date")),
    chassisType: chassisType(kernel.number(`${directory}/chassis_type`)),
    chassisVendor: value("chassis_vendor"),
    chassisAssetTag: tag !== null && platformTags.has(tag) ? tag : null,
  };
}

/**
 * An SMBIOS date as an ISO date, or `null` when it is none. SMBIOS knows only month/day/year, and
 * a year of two digits is of the 1900s (SMBIOS specification 3.7, section 7.1).
 */
export function isoDate(text: string | null): string | null {
  const parts = /^(\d{2})\/(\d{2})\/(\d{4}|\d{2})$/.exec(text ?? "");
  const [, month = "", day = "", written = ""] = parts ?? [];
  const year = written.length === 2 ? `19${written}` : written;
  const iso = `${year}-${month}-${day}`;
  const time = Date.parse(`${iso}T00:00:00Z`);
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== iso ? null : iso;
}

function chassisType(number: number | null): number | null {
  return number === null || number > 255 ? null : number;
}
