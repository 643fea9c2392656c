import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { LoaderPlace, OnceLoader } from "./loader.ts";
import { mountPoints } from "./mounts.ts";

/**
 * systemd-boot: it says of itself what it can in EFI variables, and reads from one which entry to
 * boot once. https://systemd.io/BOOT_LOADER_INTERFACE/
 */
export const systemdBoot: OnceLoader = {
  name: "systemd-boot",
  needsEntry: true,
  restart: "reboot",
  async probe({ files }) {
    const info = readText(files, "LoaderInfo");
    if (info === undefined || !info.startsWith("systemd-boot")) return { is: "absent" };
    const features = readFeatures(files);
    if ((features & oneShotFeature) === 0n) {
      return { is: "unable", why: `${info} does not say that it boots an entry once` };
    }
    if (entryDirectories(files).length === 0) {
      return { is: "unable", why: "no mounted partition has systemd-boot's loader/entries" };
    }
    return { is: "able" };
  },
  async choose(place, toplevel) {
    const id = findEntry(place.files, toplevel);
    if (id === undefined) {
      const looked = entryDirectories(place.files).join(", ") || "no directory of entries";
      throw new Fault("system/boot-once-failed", `${looked}: no entry boots ${toplevel}`);
    }
    await setOneShot(place, id);
    return id;
  },
  chose({ files }, toplevel) {
    const chosen = oneShot(files)?.toLowerCase();
    return chosen !== undefined && chosen === findEntry(files, toplevel)?.toLowerCase();
  },
  async forget(place, entry = null) {
    const chosen = oneShot(place.files);
    const isIt = entry === null || chosen?.toLowerCase() === entry.toLowerCase();
    if (chosen !== undefined && isIt) await setOneShot(place, "");
  },
};

const vendor = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
const oneShotFeature = 1n << 3n;

/** A variable as the kernel shows it: four bytes of attributes, then its value. */
function readValue(files: Files, name: string): Buffer | undefined {
  const bytes = files.read(`/sys/firmware/efi/efivars/${name}-${vendor}`);
  return bytes === undefined ? undefined : Buffer.from(bytes).subarray(4);
}

function readText(files: Files, name: string): string | undefined {
  return readValue(files, name)?.toString("utf16le").replace(/\0+$/, "");
}

function readFeatures(files: Files): bigint {
  const value = readValue(files, "LoaderFeatures");
  return value === undefined || value.length < 8 ? 0n : value.readBigUInt64LE();
}

/** The entry that was chosen for the next boot; `undefined` when none is. */
function oneShot(files: Files): string | undefined {
  return readText(files, "LoaderEntryOneShot") || undefined;
}

async function setOneShot({ files, run }: LoaderPlace, id: string): Promise<void> {
  const { code, stderr } = await run({
    argv: ["bootctl", "set-oneshot", id],
    timeoutMs: 60_000,
    effect: `bootctl set-oneshot ${id}`,
  });
  const found = oneShot(files);
  // The loader compares names without regard to case, and so do file systems of its partition.
  if (code === 0 && (found ?? "").toLowerCase() === id.toLowerCase()) return;
  const said = stderr.trim().split("\n").at(-1) || `exit code ${code}`;
  throw new Fault(
    "system/boot-once-failed",
    `bootctl set-oneshot ${id || "''"}: ${said}; chosen for the next boot is ${found ?? "nothing"}`,
  );
}

/** Where a boot partition has its entries. */
function entryDirectories(files: Files): readonly string[] {
  const known = ["/boot", "/efi", "/boot/efi"];
  const places = [...known, ...mountPoints(files, ["vfat"])].map((point) =>
    `${point}/loader/entries`.replace("//", "/"),
  );
  return [...new Set(places)].filter((place) => files.list(place).length > 0);
}

/**
 * The identifier of the entry that boots a system, found by what it would boot: how NixOS names
 * entries has changed more than once. The counter of a name is no part of it.
 */
export function findEntry(files: Files, toplevel: string): string | undefined {
  for (const directory of entryDirectories(files)) {
    for (const name of files.list(directory).filter((file) => file.endsWith(".conf"))) {
      const text = files.readText(`${directory}/${name}`) ?? "";
      const options = /^options[ \t]+(.*)$/m.exec(text)?.[1]?.trim().split(/\s+/) ?? [];
      if (options.includes(`init=${toplevel}/init`)) {
        return name.replace(/\+[0-9]+(-[0-9]+)?(?=\.conf$)/, "");
      }
    }
  }
  return undefined;
}
