import { formatBytes } from "#core/bytes.ts";
import type { Code } from "#core/codes.ts";
import { Fault } from "#core/fault.ts";
import type { BuildPolicy } from "./build-policy.ts";
import { spaceOf, spaceText } from "./disk-space.ts";
import { memoryText } from "./out-of-memory.ts";
import { fetchHint, findMemoryShortage, type MemoryShortage } from "./preflight.ts";
import type { Work } from "./work.ts";

const shortCode = "system/not-enough-memory";
const mebi = 1024 ** 2;
/** Pages of an evaluation are compressed to less than half by zram; what does not shrink counts twice. */
const zramFactor = 2;

/** File systems on which a file made by fallocate can be swapped to, by their magic numbers. */
const swapFileSystems: ReadonlyMap<number, string> = new Map([
  [0xef53, "ext4"],
  [0x58465342, "xfs"],
]);
const btrfs = 0x9123683e;
const zramControl = "/sys/class/zram-control";

/**
 * Evaluates and builds with enough memory: as it is, or with swap for that time where it is short and
 * the policy allows it. Throws `system/not-enough-memory` with the numbers before anything has begun,
 * or `system/swap-failed`.
 */
export async function withMemory<T>(work: Work, action: () => Promise<T>): Promise<T> {
  await removeSwap(work); // of a build that was killed
  const shortage = findMemoryShortage(work);
  if (shortage === undefined) return action();
  if (work.policy.swap === "none") {
    checkNotSevere(work, shortage);
    warn(work, shortCode, `memory may be short: ${shortageText(work, shortage)}`);
    return action();
  }
  try {
    await addSwap(work, shortage);
    return await action();
  } finally {
    await removeSwap(work);
  }
}

/**
 * Removes swap that was made here, whatever state it is in; nothing when there is none. What cannot
 * be removed, because the memory is full, is left to the next time with a warning.
 */
export async function removeSwap(work: Work): Promise<void> {
  try {
    await removeSwapFile(work);
    await removeZram(work);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    warn(work, error.code, `the swap of a build could not be removed yet: ${error.message}`);
  }
}

async function removeSwapFile(work: Work): Promise<void> {
  const { io, paths, commands } = work;
  if (io.files.stat(paths.swapFile) === undefined) return;
  const file = io.files.hostPath(paths.swapFile);
  if (isSwappedTo(work, file)) await commands.swapOff(file);
  io.files.remove(paths.swapFile);
}

/** Only what is ours is touched: somebody else may have taken the device after a death of ours. */
async function removeZram(work: Work): Promise<void> {
  const { io, paths, commands } = work;
  const device = io.files.readText(paths.zramRecord)?.trim();
  if (device === undefined) return;
  const isOn = isSwappedTo(work, device);
  const isOurs = /^\/dev\/zram[0-9]+$/.test(device) && (await commands.isOurSwap(device));
  if (isOn && isOurs === true) await commands.swapOff(device);
  if (isOurs === true || (isOurs === null && !isOn)) await commands.resetZram(device);
  io.files.remove(paths.zramRecord);
}

/** Where less than what is wanted is enough to begin, swap that cannot be made is no reason not to. */
async function addSwap(work: Work, shortage: MemoryShortage): Promise<void> {
  const bytes = Math.ceil(Math.max(shortage.missingBytes, 64 * mebi) / mebi) * mebi;
  warn(
    work,
    shortCode,
    `memory is short, so swap for ${formatBytes(bytes)} is added: ${shortageText(work, shortage)}`,
  );
  try {
    await addSwapBy[work.policy.swap](work, bytes);
  } catch (error) {
    if (!(error instanceof Fault) || shortage.isSevere) throw error;
    warn(work, error.code, `going on without swap: ${error.message}`);
  }
}

const addSwapBy: Readonly<
  Record<BuildPolicy["swap"], (work: Work, bytes: number) => Promise<void>>
> = {
  none: async () => {},
  zram: addZram,
  file: addSwapFile,
  async auto(work, bytes) {
    try {
      await addZram(work, bytes);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      warn(work, error.code, `swap in a file instead of zram: ${error.message}`);
      await removeZram(work);
      await addSwapFile(work, bytes);
    }
  },
};

async function addSwapFile(work: Work, bytes: number): Promise<void> {
  const { io, paths, commands, policy } = work;
  const space = spaceOf(io.files, paths.swapFile);
  if (!swapFileSystems.has(space.fileSystem)) {
    const why =
      space.fileSystem === btrfs
        ? "btrfs copies on write, which a swap file must not be"
        : `its file system (${space.fileSystem.toString(16)}) is not one that swap files are known to work on`;
    throw new Fault("system/swap-failed", `${paths.swapFile}: ${why}`, {
      hint: "Set `build.swap` to `zram`.",
    });
  }
  if (space.availableBytes < bytes + policy.keepFree.stateBytes) {
    const needed = `${formatBytes(bytes)} of swap and ${formatBytes(policy.keepFree.stateBytes)} to stay free`;
    throw new Fault(
      "system/not-enough-space",
      `${paths.swapFile}: expected room for ${needed}, free are ${spaceText(space)}`,
    );
  }
  io.files.create(paths.swapFile, "", { mode: 0o600 });
  await commands.swapOnFile(io.files.hostPath(paths.swapFile), bytes);
}

/** `bytes`: what is missing; the device is larger, for what does not shrink. */
async function addZram(work: Work, bytes: number): Promise<void> {
  const { io, paths, commands } = work;
  if (io.files.stat(zramControl) === undefined) await commands.loadZram();
  const device = freeZram(work);
  io.files.write(paths.zramRecord, `${device}\n`, { mode: 0o600 });
  await commands.swapOnZram(device, bytes * zramFactor);
}

/** A device that nobody has set up, made anew where there is none. */
function freeZram({ io }: Work): string {
  const { files } = io;
  const free = files
    .list("/sys/block")
    .find((name) => /^zram[0-9]+$/.test(name) && diskSize(name) === "0");
  function diskSize(name: string): string | undefined {
    return files.readText(`/sys/block/${name}/disksize`)?.trim();
  }
  if (free !== undefined) return `/dev/${free}`;
  io.effect("add a zram device"); // reading this file makes one
  const number = files.readText(`${zramControl}/hot_add`)?.trim() ?? "";
  if (/^[0-9]+$/.test(number)) return `/dev/zram${number}`;
  throw new Fault("system/swap-failed", "this kernel has no zram, or gives no device of it", {
    hint: "Set `build.swap` to `file`, or load the module zram.",
  });
}

function isSwappedTo({ io }: Work, place: string): boolean {
  const text = io.files.readText("/proc/swaps") ?? "";
  return text.split("\n").some((line) => line.split(/\s/)[0] === place);
}

/** Throws `system/not-enough-memory` where so little can be had, also by swap, that nothing is begun. */
export function checkMemory(work: Work): void {
  const shortage = findMemoryShortage(work);
  if (shortage !== undefined && work.policy.swap === "none") checkNotSevere(work, shortage);
}

function checkNotSevere(work: Work, shortage: MemoryShortage): void {
  if (!shortage.isSevere) return;
  throw new Fault(
    shortCode,
    `evaluating the system: ${shortageText(work, shortage)}`,
    fetchHint(work, "Allow swap with `build.swap`"),
  );
}

function shortageText({ policy }: Work, { usableBytes, memory }: MemoryShortage): string {
  const { leastBytes, wantedBytes } = policy.evaluationMemory;
  return `at least ${formatBytes(leastBytes)} and better ${formatBytes(wantedBytes)} are needed, ${formatBytes(usableBytes)} can be had (${memoryText(memory)})`;
}

function warn({ emit }: Work, code: Code, message: string): void {
  emit({ type: "warning", code, message });
}
