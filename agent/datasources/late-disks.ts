import { type Fault, isFault } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import { listBlockDevices } from "./block-devices.ts";
import type { Datasource, DatasourceContent } from "./datasource.ts";
import { datasources as known } from "./table.ts";

/** So long a machine without a seed waits at most, while disks are still being found. */
const longestMs = 5_000;
const lookMs = 100;
/** Looks in a row that see nothing under way: udev may be about to hear of a disk. */
const quietLooks = 2;

/** udevd keeps it while events wait for it, as `udevadm settle` knows (systemd, `udev-util.c`). */
const queueFile = "/run/udev/queue";
/** usb-storage looks for disks a second after the stick was found (`delay_use`), with no event meanwhile. */
const usbDrivers = ["/sys/bus/usb/drivers/usb-storage", "/sys/bus/usb/drivers/uas"];

/** Where disks may be late, and when to stop waiting for them. */
export interface LateDisks {
  readonly io: Io;
  readonly log: Log;
  /** Names of the datasources that may be used, all when `undefined`. */
  readonly datasources: readonly string[] | undefined;
  readonly signal?: AbortSignal;
  /** For tests: the datasources that are known. */
  readonly table?: readonly Datasource[];
}

/**
 * Looks for a datasource, and again as disks appear, while udev has events to work on or the kernel
 * looks at a USB disk: 5 s at most, and not at all where no datasource reads a disk or no udev runs.
 * One that says no more than an instance-id may have the rest of it on a disk. Throws what the last
 * look threw.
 */
export async function lookForLateDisks(
  late: LateDisks,
  look: () => Promise<DatasourceContent>,
): Promise<DatasourceContent> {
  const { io, log, signal } = late;
  const started = io.clock.monotonicMs();
  const elapsed = () => io.clock.monotonicMs() - started;
  let seen = disksOf(io.files);
  const first = await lookOnce(look);
  if (isEnough(first) || !readsDisks(late) || io.files.stat("/run/udev") === undefined)
    return contentOf(first);
  for (let quiet = 0; quiet < quietLooks && elapsed() < longestMs; ) {
    await io.clock.sleep(lookMs, signal);
    quiet = isLooking(io.files) ? 0 : quiet + 1;
    const now = disksOf(io.files);
    if (now === seen) continue;
    seen = now;
    const found = await lookOnce(look);
    if (!isEnough(found)) continue;
    log.info("discover.late", { ms: Math.round(elapsed()) });
    return contentOf(found);
  }
  return look(); // a medium that could not be read yet
}

/** What a look found, or why it found nothing that a disk more could change. */
type Look = { readonly content: DatasourceContent } | { readonly fault: Fault };

async function lookOnce(look: () => Promise<DatasourceContent>): Promise<Look> {
  try {
    return { content: await look() };
  } catch (error) {
    if (isFault(error, "datasource/none") || isFault(error, "datasource/missing"))
      return { fault: error };
    throw error;
  }
}

function isEnough(look: Look): boolean {
  if ("fault" in look) return false;
  const { userData, networkConfig } = look.content.instance;
  const saysNetwork = networkConfig !== null && look.content.network === undefined;
  return userData !== null || saysNetwork;
}

function contentOf(look: Look): DatasourceContent {
  if ("fault" in look) throw look.fault;
  return look.content;
}

function readsDisks({ datasources, table = known }: LateDisks): boolean {
  const names = datasources ?? table.map(({ name }) => name);
  return table.some(({ name, needs }) => needs === "disk" && names.includes(name));
}

function isLooking(files: Files): boolean {
  return files.stat(queueFile) !== undefined || usbDrivers.some((driver) => isBare(files, driver));
}

/** Whether a driver of USB disks has hold of one that has no disk yet: `1-2:1.0/host6/target6:0:0/6:0:0:0/block`. */
function isBare(files: Files, driver: string): boolean {
  const below = (path: string, name: RegExp) =>
    files
      .list(path)
      .filter((entry) => name.test(entry))
      .map((entry) => `${path}/${entry}`);
  const hasDisk = (sticks: string) =>
    below(sticks, /^host\d+$/)
      .flatMap((host) => below(host, /^target/))
      .flatMap((target) => below(target, /^\d+(?::\d+){3}$/))
      .some((device) => files.list(`${device}/block`).length > 0);
  return below(driver, /^\d+-[\d.]+:\d+\.\d+$/).some((device) => !hasDisk(device));
}

/** Changes when a disk, a partition or a medium comes. */
function disksOf(files: Files): string {
  return listBlockDevices(files)
    .map(({ node, sizeBytes }) => `${node} ${sizeBytes}`)
    .join("\n");
}
