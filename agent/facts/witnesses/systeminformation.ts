import type { WitnessReadings } from "#generated/agent/facts/witness.ts";
import { chassisType } from "#provisioner/facts/chassis.ts";
import type { WitnessCall } from "../witness-calls.ts";
import type { FactValue, Reader, Testimony } from "./witness-tool.ts";

/** What the library is asked for a report: none of it changes by itself. */
export const libraryCalls: readonly WitnessCall[] = [
  "memory",
  "board",
  "processor",
  "power",
  "disks",
  "graphics",
];

/** The library's readings as values of facts. */
export function libraryTestimony(readings: WitnessReadings): Testimony {
  const values = new Map<string, FactValue>();
  const say = (place: string, value: FactValue) => {
    if (value !== null && value !== "") values.set(place, value);
  };
  const { memory, board, processor, power, disks, graphics } = readings;
  if (memory !== undefined) say("memoryBytes", memory.totalBytes);
  for (const [key, value] of Object.entries(board ?? {})) {
    if (key === "chassisType") say("dmi.chassisType", chassisType(spelled(value)));
    else say(`dmi.${key}`, value);
  }
  for (const [key, value] of Object.entries(processor ?? {})) say(`cpu.${key}`, value);
  if (power !== undefined) say("features.battery", power.battery);
  for (const { device, sizeBytes } of disks ?? []) {
    const name = device.replace(/^\/dev\//, "");
    say(`blockDevices[${name}].name`, name);
    if (sizeBytes > 0) say(`blockDevices[${name}].sizeBytes`, sizeBytes);
  }
  for (const { slot } of graphics ?? []) {
    const whole = /^[0-9a-f]{2}:/.test(slot) ? `0000:${slot}` : slot;
    if (/^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(whole))
      say(`gpus[${whole}].slot`, whole);
  }
  return { values, whole: [] };
}

/** It writes some of SMBIOS's words otherwise than dmidecode. */
function spelled(words: string): string {
  const others: Readonly<Record<string, string>> = {
    "All in One": "All In One",
    "Space-Saving": "Space-saving",
    "Main System Chassis": "Main Server Chassis",
    "Sealed-Case PC": "Sealed-case PC",
    "Multi-System Chassis": "Multi-system",
    "Blade Enclosure": "Blade Enclosing",
  };
  return others[words] ?? words.trim();
}

/**
 * What the library is known to get wrong, which is therefore no disagreement: day and month of the
 * firmware's date change places, a dash stands for what it cannot know, in a container the machine is
 * called after it, and a battery by another name than `BAT0` is not seen.
 */
export function isKnownFault(
  place: string,
  kernel: FactValue,
  said: { readonly by: Reader; readonly value: FactValue },
): boolean {
  if (said.by !== "systeminformation") return false;
  if (said.value === "-" || said.value === "Docker Container") return true;
  if (place === "features.battery") return said.value === false;
  if (place !== "dmi.biosDate" || typeof kernel !== "string") return false;
  const [year, month, day] = kernel.split("-");
  return said.value === `${year}-${day}-${month}`;
}
