import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { factSources } from "./fact-sources.ts";
import type { FactValue } from "./witnesses/witness-tool.ts";

/** A fact as the kernel's files tell it. */
export interface KernelWord {
  readonly from: string;
  readonly value: FactValue;
}

/** What the items of a list are told apart by. */
const keys: Readonly<Record<string, string>> = {
  pci: "slot",
  gpus: "slot",
  usb: "port",
  blockDevices: "name",
  "blockDevices[].partitions": "name",
  network: "name",
  virtualisationWitnesses: "source",
  unread: "path",
};

/**
 * Every fact by its place, with where it was read: `dmi.sysVendor`, `pci[0000:c1:00.0].driver`. A list
 * of words is one value.
 */
export function kernelTestimony(facts: Facts): ReadonlyMap<string, KernelWord> {
  const found = new Map<string, KernelWord>();
  walk(facts, { place: "", pattern: "" }, found);
  return found;
}

interface Place {
  /** Of this value. */
  readonly place: string;
  /** The same for every item of a list. */
  readonly pattern: string;
}

function walk(value: unknown, at: Place, found: Map<string, KernelWord>): void {
  const key = keys[at.pattern];
  if (key !== undefined && Array.isArray(value)) {
    for (const item of value as readonly Readonly<Record<string, unknown>>[])
      walk(item, { place: `${at.place}[${item[key]}]`, pattern: `${at.pattern}[]` }, found);
  } else if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    for (const [name, child] of Object.entries(value))
      walk(child, { place: below(at.place, name), pattern: below(at.pattern, name) }, found);
  } else {
    const from = factSources[at.pattern];
    // Whole parts that are unknown have no place of their own.
    if (from !== undefined)
      found.set(at.place, {
        from,
        value: Array.isArray(value) ? value.join(" ") : (value as FactValue),
      });
  }
}

function below(place: string, name: string): string {
  return place === "" ? name : `${place}.${name}`;
}
