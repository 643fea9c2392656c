import type { BlockDevice } from "#generated/provisioner/facts/facts.ts";
import { isBootArea } from "../block.ts";
import { type Mapping, mapping, parseJson, textOf, wholeNumber, yesOrNo } from "./json-values.ts";
import type { FactValue, WitnessTool } from "./witness-tool.ts";

const transports: Readonly<Record<string, BlockDevice["transport"]>> = {
  nvme: "nvme",
  sata: "ata",
  ata: "ata",
  sas: "sas",
  usb: "usb",
  mmc: "mmc",
  virtio: "virtio",
};

/** Disks and their partitions, those left out that no device stands behind, as in the facts. */
export const lsblk: WitnessTool = {
  name: "lsblk",
  args: ["-J", "-b", "-o", "KNAME,TYPE,SIZE,RO,RM,ROTA,TRAN,PTTYPE,FSTYPE"],
  what: "blockDevices",
  parse(stdout) {
    const devices = mapping(parseJson(stdout))["blockdevices"];
    if (!Array.isArray(devices)) return null;
    const values = new Map<string, FactValue>();
    for (const device of devices.slice(0, 1024).map(mapping)) {
      const name = textOf(device["kname"]);
      if (name === null) return null;
      const whole = device["type"] === "disk" || device["type"] === "rom";
      if (whole && !isMade(name) && !isBootArea(name)) tellDisk(values, name, device);
    }
    return { values, whole: ["blockDevices"] };
  },
};

/** Names of what the kernel makes out of memory, files, networks or other disks. */
function isMade(name: string): boolean {
  return /^(zram|ram|loop|nbd|rbd|md|dm-|drbd|bcache|zd)[0-9]/.test(name);
}

function tellDisk(values: Map<string, FactValue>, name: string, disk: Mapping): void {
  const say = (place: string, value: FactValue) => {
    if (value !== null) values.set(place, value);
  };
  const here = `blockDevices[${name}]`;
  say(`${here}.name`, name);
  say(`${here}.sizeBytes`, wholeNumber(disk["size"]));
  say(`${here}.readOnly`, yesOrNo(disk["ro"]));
  say(`${here}.removable`, yesOrNo(disk["rm"]));
  say(`${here}.rotational`, yesOrNo(disk["rota"]));
  say(`${here}.transport`, transports[textOf(disk["tran"]) ?? ""] ?? null);
  say(`${here}.partitionTable`, textOf(disk["pttype"]));
  say(`${here}.signature`, signatureOf(disk));
  const children = Array.isArray(disk["children"]) ? disk["children"].slice(0, 256) : [];
  for (const part of children.map(mapping)) {
    const partition = textOf(part["kname"]);
    if (partition === null || part["type"] !== "part") continue;
    say(`${here}.partitions[${partition}].name`, partition);
    say(`${here}.partitions[${partition}].sizeBytes`, wholeNumber(part["size"]));
    say(`${here}.partitions[${partition}].signature`, signatureOf(part));
  }
}

function signatureOf(device: Mapping): string | null {
  const type = textOf(device["fstype"]);
  return type === "swsuspend" ? "swap" : type;
}
