import type { Gpu, PciDevice } from "#generated/provisioner/facts/facts.ts";

const maxGpus = 64;

/** The graphics processors among PCI functions; `bootVga` says of a slot whether the firmware used it. */
export function gpusOf(
  pci: readonly PciDevice[],
  bootVga: (slot: string) => boolean | null,
): Gpu[] {
  return pci
    .flatMap(({ slot, vendor, device, class: kind, driver }) => {
      const busId = kind?.startsWith("03") === true ? busIdOf(slot) : null;
      return busId === null
        ? []
        : [{ slot, vendor, device, busId, bootVga: bootVga(slot), driver }];
    })
    .slice(0, maxGpus);
}

/**
 * A slot of the kernel (hexadecimal) as X servers write it (decimal): `0000:c1:00.0` is
 * `PCI:193:0:0`. A domain other than 0 stands behind the bus. `null` of what is no slot.
 * Source: xorg.conf(5), `BusID`.
 */
export function busIdOf(slot: string): string | null {
  const parts = /^([0-9a-f]{4,8}):([0-9a-f]{2}):([01][0-9a-f])\.([0-7])$/.exec(slot);
  if (parts === null) return null;
  const [domain = 0, bus = 0, device = 0, fn = 0] = parts
    .slice(1)
    .map((digits) => Number.parseInt(digits, 16));
  return `PCI:${bus}${domain === 0 ? "" : `@${domain}`}:${device}:${fn}`;
}
