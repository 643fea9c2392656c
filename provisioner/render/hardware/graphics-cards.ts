import type { Facts, Gpu } from "#generated/provisioner/facts/facts.ts";
import { type NvidiaBranch, nvidiaBranch } from "./nvidia-chips.ts";

/** Vendor ids. */
const nvidia = "10de";
const integratedBy = { "8086": "intel", "1002": "amdgpu" } as const;

/** Cards of NVIDIA, and the chip of the processor beside them. */
export interface GraphicsCards {
  readonly nvidia: readonly NvidiaCard[];
  /** `undefined` where there is none, or nothing tells which. */
  readonly integrated: IntegratedCard | undefined;
}

/** One card of NVIDIA. */
export interface NvidiaCard extends Gpu {
  readonly branch: NvidiaBranch;
}

/** The graphics of the processor. */
export interface IntegratedCard extends Gpu {
  /** As the options of PRIME begin. */
  readonly maker: "intel" | "amdgpu";
}

/** Who is there, among the graphics processors of a machine. */
export function graphicsCards({ gpus }: Pick<Facts, "gpus">): GraphicsCards {
  return {
    nvidia: (gpus ?? [])
      .filter(({ vendor }) => vendor === nvidia)
      .map((gpu) => ({ ...gpu, branch: nvidiaBranch(gpu.device) })),
    integrated: integratedAmong(gpus ?? []),
  };
}

/** The only one of Intel or AMD; of several the one that firmware shows its screen on, or Intel's on the first bus. */
function integratedAmong(gpus: readonly Gpu[]): IntegratedCard | undefined {
  const found = gpus.flatMap((gpu) => {
    const maker = integratedBy[gpu.vendor as keyof typeof integratedBy];
    return maker === undefined ? [] : [{ ...gpu, maker }];
  });
  const isBuiltIn = ({ maker, slot }: IntegratedCard) => maker === "intel" && /^0+:00:/.test(slot);
  const ways = [found, found.filter(isBuiltIn), found.filter(({ bootVga }) => bootVga === true)];
  return ways.find(({ length }) => length === 1)?.[0];
}
