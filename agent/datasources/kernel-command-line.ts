import type { Files } from "#core/io.ts";

const maxBytes = 64 * 1024;

/**
 * Arguments of the running kernel in order. Double quotes keep white space together and are taken
 * away, as the kernel does (lib/cmdline.c); empty when there is no `/proc/cmdline`.
 */
export function readKernelArguments(files: Files): readonly string[] {
  const line = files.readText("/proc/cmdline", { maxBytes })?.trimEnd() ?? "";
  const words = line.match(/(?:[^\s"]|"[^"]*(?:"|$))+/g) ?? [];
  return words.map((word) => word.replaceAll('"', ""));
}
