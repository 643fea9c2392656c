import { Fault, isFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { LsblkDisk } from "./disk-report.ts";

const columns = [
  ...["NAME", "TYPE", "SIZE", "RM", "RO", "TRAN", "SERIAL", "WWN"],
  ...["PTTYPE", "FSTYPE", "MOUNTPOINT"],
];
const timeoutMs = 20_000;
const maxDepth = 16;

/** The disks as `lsblk` of util-linux sees them. Throws what `unheard` says. */
export async function readLsblk(io: Pick<Io, "exec">): Promise<readonly LsblkDisk[]> {
  const args = ["--json", "--bytes", "--all", "--output", columns.join(",")];
  const result = await io
    .exec({ file: "lsblk", args, timeoutMs, env: { LC_ALL: "C" } })
    .catch((error) => {
      throw isFault(error, "exec/not-found") ? unheard("it is not on the PATH", error) : error;
    });
  if (result.timedOut) throw unheard(`it gave no answer in ${timeoutMs / 1000} s`);
  if (result.code !== 0) throw unheard(`it ended with ${result.code ?? result.signal}`);
  return parseLsblk(result.stdout);
}

/** What `lsblk --json` printed. Throws where it is not that, and where it names no device at all. */
export function parseLsblk(text: string): readonly LsblkDisk[] {
  const devices = listOf(parseJson(text), "blockdevices");
  if (devices === undefined) throw unheard("its output is not the JSON of lsblk");
  // A machine that runs has a device of some sort; an empty list is a tool that sees nothing.
  if (devices.length === 0) throw unheard("it names no device at all");
  // A drive of optical discs is a disk to the kernel.
  return devices
    .filter((each) => ["disk", "rom"].includes(textOf(each, "type") ?? ""))
    .map(readDisk);
}

function readDisk(device: Node): LsblkDisk {
  const all = below(device, 0);
  const children = listOf(device, "children") ?? [];
  return {
    name: textOf(device, "name") ?? "",
    sizeBytes: numberOf(device, "size"),
    removable: flagOf(device, "rm"),
    readOnly: flagOf(device, "ro"),
    transport: textOf(device, "tran"),
    serial: textOf(device, "serial"),
    wwn: textOf(device, "wwn"),
    partitions: children
      .filter((each) => textOf(each, "type") === "part")
      .map((each) => ({ name: textOf(each, "name") ?? "", sizeBytes: numberOf(each, "size") })),
    signatures: unique(all.map((each) => textOf(each, "fstype"))),
    mounts: unique(all.map((each) => textOf(each, "mountpoint"))),
  };
}

type Node = Readonly<Record<string, unknown>>;

function below(device: Node, depth: number): readonly Node[] {
  if (depth > maxDepth) return [device];
  return [device, ...(listOf(device, "children") ?? []).flatMap((each) => below(each, depth + 1))];
}

function parseJson(text: string): Node {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Node) : {};
  } catch {
    return {};
  }
}

function listOf(node: Node, key: string): readonly Node[] | undefined {
  const value = node[key];
  if (!Array.isArray(value)) return undefined;
  return value.filter((each): each is Node => typeof each === "object" && each !== null);
}

function textOf(node: Node, key: string): string | null {
  const value = node[key];
  return typeof value === "string" && value.trim() !== "" ? value.trim() : null;
}

/** Numbers were texts up to util-linux 2.32. */
function numberOf(node: Node, key: string): number | null {
  const number = Number(node[key] ?? Number.NaN);
  return Number.isSafeInteger(number) && number >= 0 ? number : null;
}

function flagOf(node: Node, key: string): boolean | null {
  const value = node[key];
  if (value === true || value === "1" || value === 1) return true;
  return value === false || value === "0" || value === 0 ? false : null;
}

function unique(values: readonly (string | null)[]): readonly string[] {
  return [...new Set(values.filter((value) => value !== null))].sort();
}

function unheard(why: string, cause?: unknown): Fault {
  return new Fault("install/witness-missing", `lsblk: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
  });
}
