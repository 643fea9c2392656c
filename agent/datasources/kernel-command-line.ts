import type { Files } from "#core/io.ts";
import { isContainer } from "../container.ts";

const maxBytes = 64 * 1024;

/**
 * Arguments of the running kernel in order. Double quotes keep white space together and are taken
 * away, as the kernel does (lib/cmdline.c); empty when there is no `/proc/cmdline`. In a container
 * those of its first process, as cloud-init has it: the kernel's are another machine's.
 */
export function readKernelArguments(files: Files): readonly string[] {
  if (isContainer(files)) {
    const given = files.readText("/proc/1/cmdline", { maxBytes }) ?? "";
    return given.split("\0").filter((word) => word !== "");
  }
  const line = files.readText("/proc/cmdline", { maxBytes })?.trimEnd() ?? "";
  const words = line.match(/(?:[^\s"]|"[^"]*(?:"|$))+/g) ?? [];
  return words.map((word) => word.replaceAll('"', ""));
}
