import type { Facts, PciDevice } from "#generated/provisioner/facts/facts.ts";
import { type NvidiaBranch, nvidiaBranch } from "./nvidia-chips.ts";

/** Vendor ids. */
const nvidia = "10de";
const integratedBy = { "8086": "intel", "1002": "amdgpu" } as const;

/** Cards of NVIDIA, and the chip of the processor that has the screen where there is one beside it. */
export interface GraphicsCards {
  readonly nvidia: readonly NvidiaCard[];
  /** `undefined` where there is none, or nothing tells which. */
  readonly integrated: IntegratedCard | undefined;
}

/** One card of NVIDIA. */
export interface NvidiaCard {
  /** As sysfs names it. */
  readonly slot: string;
  /** Vendor and device id. */
  readonly id: string;
  readonly busId: string | undefined;
  readonly branch: NvidiaBranch;
  /** Driver that is bound now. */
  readonly driver: string | null;
}

/** The graphics of the processor. */
export interface IntegratedCard {
  /** As the options of PRIME begin. */
  readonly maker: "intel" | "amdgpu";
  readonly busId: string;
}

/** Display controllers (class 03) on PCI. */
export function graphicsCards({ pci }: Pick<Facts, "pci">): GraphicsCards {
  const cards = (pci ?? []).filter((device) => device.class?.startsWith("03"));
  return {
    nvidia: cards
      .filter(({ vendor }) => vendor === nvidia)
      .map(({ slot, vendor, device, driver }) => ({
        slot,
        id: `${vendor}:${device}`,
        busId: busId(slot),
        branch: nvidiaBranch(device),
        driver,
      })),
    integrated: integratedAmong(cards),
  };
}

/** The only one of Intel or AMD; Intel's is always on the first bus, where a further card is none of the processor's. */
function integratedAmong(cards: readonly PciDevice[]): IntegratedCard | undefined {
  const found = cards.flatMap(({ vendor, slot }) => {
    const maker = integratedBy[vendor as keyof typeof integratedBy];
    const address = busId(slot);
    return maker === undefined || address === undefined ? [] : [{ maker, busId: address, slot }];
  });
  const ofIntel = found.filter(({ maker, slot }) => maker === "intel" && /^0+:00:/.test(slot));
  const candidates = ofIntel.length > 0 ? ofIntel : found;
  const [only, second] = candidates;
  return only === undefined || second !== undefined
    ? undefined
    : { maker: only.maker, busId: only.busId };
}

/**
 * The address of a PCI slot as X and NixOS write it, in decimal: `0000:c1:00.0` is `PCI:193:0:0`, and
 * `0001:c1:00.0` is `PCI:193@1:0:0` (xorg.conf(5), BusID). `undefined` for what is no slot.
 */
export function busId(slot: string): string | undefined {
  const parts = /^([0-9a-f]{4,8}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/.exec(slot);
  if (parts === null) return undefined;
  const [domain, bus, device, unit] = parts.slice(1).map((part) => Number.parseInt(part, 16));
  return `PCI:${bus}${domain === 0 ? "" : `@${domain}`}:${device}:${unit}`;
}
