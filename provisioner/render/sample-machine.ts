import type { Facts, PciDevice } from "#generated/provisioner/facts/facts.ts";
import { chassisClass } from "#provisioner/facts/chassis.ts";
import { gpusOf } from "#provisioner/facts/gpus.ts";
import { sampleFacts } from "#provisioner/profiles/sample-facts.ts";

/** A graphics card, `id` as vendor and device; for tests. */
export function sampleCard(slot: string, id: string, driver: string | null = null): PciDevice {
  return {
    slot,
    vendor: id.slice(0, 4),
    device: id.slice(5),
    subsystemVendor: null,
    subsystemDevice: null,
    class: "030000",
    driver,
    module: driver,
  };
}

/** A machine on bare metal of a chassis type of SMBIOS (10 is a notebook, 3 a desktop); for tests. */
export function sampleBareMetal(chassisType: number | null, more: Partial<Facts> = {}): Facts {
  const facts = sampleFacts({ architecture: "x86_64", dmi: { sysVendor: "Acme" } });
  return {
    ...facts,
    dmi: facts.dmi === null ? null : { ...facts.dmi, chassisType },
    chassis: chassisClass(chassisType),
    gpus: gpusOf(more.pci ?? [], () => null),
    virtualisation: "none",
    ...more,
  };
}
