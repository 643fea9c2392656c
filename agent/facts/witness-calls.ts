import type systeminformation from "systeminformation";
import type { Systeminformation as SI } from "systeminformation";
import type { WitnessReadings } from "#generated/agent/facts/witness.ts";

/** Name of a reading, and of the line that carries it. */
export type WitnessCall = keyof WitnessReadings;

/**
 * The tools that a reading comes from, besides the kernel's files. Where one is missing,
 * systeminformation answers with an empty list and no error.
 */
export const toolsOf: Readonly<Record<WitnessCall, readonly string[]>> = {
  memory: [],
  load: [],
  temperature: [],
  fileSystems: ["df"],
  battery: [],
  disks: ["lsblk"],
  graphics: ["lspci"],
  board: [],
  processor: ["lscpu"],
  power: [],
};

/** What a node tells of itself again and again; the rest is for a report of its hardware. */
export const usualCalls: readonly WitnessCall[] = [
  "memory",
  "load",
  "temperature",
  "fileSystems",
  "battery",
  "disks",
  "graphics",
];

/** Tools that some reading is poorer without, and none is empty without. */
export const helpfulTools = ["dmidecode", "smartctl", "xdpyinfo"] as const;

type Library = typeof systeminformation;

/**
 * The named calls of systeminformation, each cut down to what is used. Never `getStaticData` and
 * its like: they run hundreds of processes. Serial numbers stay where they are.
 */
export const calls: {
  readonly [C in WitnessCall]: (si: Library) => Promise<NonNullable<WitnessReadings[C]>>;
} = {
  memory: async (si) => {
    const { total, available, swaptotal, swapused } = await si.mem();
    return {
      totalBytes: size(total),
      availableBytes: size(available),
      swapTotalBytes: size(swaptotal),
      swapUsedBytes: size(swapused),
    };
  },
  load: async (si) => ({ percent: size((await si.currentLoad()).currentLoad) }),
  temperature: async (si) => {
    const { main, max } = await si.cpuTemperature();
    return { celsius: number(main), maxCelsius: number(max) };
  },
  fileSystems: async (si) => (await si.fsSize()).slice(0, 64).map(fileSystem),
  battery: async (si) => battery(await si.battery()),
  disks: async (si) => (await si.diskLayout()).slice(0, 256).map(disk),
  graphics: async (si) => (await si.graphics()).controllers.slice(0, 32).map(controller),
  board: async (si) =>
    board(await Promise.all([si.system(), si.baseboard(), si.bios(), si.chassis()])),
  processor: async (si) => processor(await si.cpu()),
  power: async (si) => ({ battery: (await si.battery()).hasBattery === true }),
};

function board([system, baseboard, bios, chassis]: readonly [
  SI.SystemData,
  SI.BaseboardData,
  SI.BiosData,
  SI.ChassisData,
]) {
  return {
    sysVendor: text(system.manufacturer),
    productName: text(system.model),
    productVersion: text(system.version),
    productSku: text(system.sku),
    boardVendor: text(baseboard.manufacturer),
    boardName: text(baseboard.model),
    boardVersion: text(baseboard.version),
    biosVendor: text(bios.vendor),
    biosVersion: text(bios.version),
    biosDate: text(bios.releaseDate),
    chassisVendor: text(chassis.manufacturer),
    chassisType: text(chassis.type),
  };
}

function processor({ family, model, stepping, cores }: SI.CpuData) {
  const whole = (value: unknown) => {
    const written = String(value);
    return /^[0-9]{1,6}$/.test(written) ? Number(written) : null;
  };
  return {
    family: whole(family),
    model: whole(model),
    stepping: whole(stepping),
    threads: cores > 0 ? whole(cores) : null,
  };
}

function fileSystem({ fs, type, mount, size: bytes, used, rw }: SI.FsSizeData) {
  return {
    source: text(fs, 1024),
    type: text(type),
    mount: text(mount, 1024),
    sizeBytes: size(bytes),
    usedBytes: size(used),
    readOnly: rw === null ? null : !rw,
  };
}

function battery(data: SI.BatteryData) {
  const {
    hasBattery,
    percent,
    isCharging,
    acConnected,
    cycleCount,
    designedCapacity,
    maxCapacity,
  } = data;
  const worn = hasBattery && designedCapacity > 0 && maxCapacity > 0;
  return {
    present: hasBattery === true,
    percent: hasBattery ? number(percent) : null,
    charging: hasBattery ? isCharging : null,
    onMains: typeof acConnected === "boolean" ? acConnected : null,
    cycles: hasBattery ? number(cycleCount) : null,
    healthPercent: worn ? Math.round((100 * maxCapacity) / designedCapacity) : null,
  };
}

function disk({
  device,
  type,
  name,
  vendor,
  size: bytes,
  interfaceType,
  smartStatus,
  temperature,
}: SI.DiskLayoutData) {
  return {
    device: text(device),
    type: text(type),
    model: text(name),
    vendor: text(vendor),
    sizeBytes: size(bytes),
    attachedBy: text(interfaceType),
    smart: smartStatus === "" || smartStatus === "unknown" ? null : text(smartStatus),
    celsius: number(temperature),
  };
}

function controller({ vendor, model, busAddress, vram }: SI.GraphicsControllerData) {
  return {
    vendor: text(vendor),
    model: text(model),
    slot: text(busAddress),
    memoryMebibytes: number(vram),
  };
}

function text(value: unknown, maxLength = 256): string {
  return typeof value === "string" ? value.trim().slice(0, maxLength) : "";
}

function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** A number that is never absent: what is missing counts as none. */
function size(value: unknown): number {
  return Math.max(0, number(value) ?? 0);
}
