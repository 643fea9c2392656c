import type { Dmi, Facts } from "#generated/provisioner/facts/facts.ts";
import type { TestCase } from "#generated/provisioner/profiles/profile.ts";
import { genericFacts } from "#provisioner/facts/generic-facts.ts";

/** SMBIOS strings of a machine that tells none. */
const noDmi: Dmi = {
  sysVendor: null,
  productName: null,
  productFamily: null,
  productVersion: null,
  productSku: null,
  boardVendor: null,
  boardName: null,
  boardVersion: null,
  biosVendor: null,
  biosVersion: null,
  biosDate: null,
  chassisType: null,
  chassisVendor: null,
  chassisAssetTag: null,
};

/** Facts of which only a few are known: a machine of a profile's tests. */
export function sampleFacts(known: NonNullable<TestCase["facts"]>): Facts {
  const facts = genericFacts(known.architecture ?? null);
  const ids = (text: string) => ({ vendor: text.slice(0, 4), device: text.slice(5) });
  return {
    ...facts,
    dmi: known.dmi === undefined ? null : { ...noDmi, ...known.dmi },
    deviceTree: known.dt === undefined ? null : { model: null, compatible: known.dt.compatible },
    cpu: { ...facts.cpu, vendor: known.cpuVendor ?? null, model: known.cpuModel ?? null },
    virtualisation: (known.virt as Facts["virtualisation"] | undefined) ?? null,
    pci:
      known.pci?.map((text, at) => ({
        slot: `0000:00:${at.toString(16).padStart(2, "0")}.0`,
        ...ids(text),
        subsystemVendor: null,
        subsystemDevice: null,
        class: null,
        driver: null,
        module: null,
      })) ?? null,
    usb:
      known.usb?.map((text, at) => ({
        port: `1-${at + 1}`,
        vendor: ids(text).vendor,
        product: ids(text).device,
        class: null,
        interfaceClasses: [],
        manufacturer: null,
        name: null,
        modules: [],
      })) ?? null,
  };
}
