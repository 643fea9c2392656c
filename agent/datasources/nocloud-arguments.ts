import { isFault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { isContainer } from "../container.ts";
import { readKernelArguments } from "./kernel-command-line.ts";

/** Meta-data that stands in `ds=nocloud;h=node-7;i=iid-1;s=/seed/`. */
export interface NoCloudArguments {
  /** Where it was found, in words for a person. */
  readonly place: string;
  readonly identity: string;
  readonly metaData: Readonly<Record<string, string | null>>;
}

const longNames: ReadonlyMap<string, string> = new Map([
  ["h", "local-hostname"],
  ["i", "instance-id"],
  ["s", "seedfrom"],
]);

/**
 * The arguments by which firmware (the system's serial number) and the kernel's command line say
 * that this is NoCloud, in the order in which they count.
 */
export function readNoCloudArguments(files: Files): readonly NoCloudArguments[] {
  const serial = parseNoCloudArguments(readSerial(files).split(/\s+/));
  const kernel = parseNoCloudArguments(readKernelArguments(files));
  const found: NoCloudArguments[] = [];
  if (serial !== undefined)
    found.push({ place: "system serial number", identity: "dmi", metaData: serial });
  if (kernel !== undefined) {
    found.push({ place: "kernel command line", identity: "kernel command line", metaData: kernel });
  }
  return found;
}

/**
 * The values of the last `ds=nocloud` (or `ds=nocloud-net`) among the words, by their long names; a
 * value without `=` is null. `undefined` when there is none.
 */
export function parseNoCloudArguments(
  words: readonly string[],
): Readonly<Record<string, string | null>> | undefined {
  const word = words.findLast((item) => /^ds=nocloud(?:-net)?(?:;|$)/.test(item));
  if (word === undefined) return undefined;
  const pairs = word
    .split(";")
    .slice(1)
    .filter((pair) => pair !== "");
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      const key = at < 0 ? pair : pair.slice(0, at);
      return [longNames.get(key) ?? key, at < 0 ? null : pair.slice(at + 1)];
    }),
  );
}

/** Readable by root only; a machine that hides it says nothing by it. */
function readSerial(files: Files): string {
  if (isContainer(files)) return ""; // another machine's
  try {
    return files.readText("/sys/class/dmi/id/product_serial", { maxBytes: 64 * 1024 }) ?? "";
  } catch (error) {
    if (isFault(error)) return "";
    throw error;
  }
}
