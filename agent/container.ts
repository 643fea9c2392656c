import { isFault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";

/** Files that container managers put into what they start. */
export const containerMarks = [
  "/run/systemd/container",
  "/run/host/container-manager",
  "/run/.containerenv",
  "/.dockerenv",
] as const;

/**
 * Whether this is a container, by files alone: then firmware and kernel command line are those of the
 * machine that it runs on, and say nothing of it.
 */
export function isContainer(files: Files): boolean {
  if (containerMarks.some((path) => files.stat(path) !== undefined)) return true;
  try {
    const environment = files.readText("/proc/1/environ", { maxBytes: 64 * 1024 }) ?? "";
    return environment.split("\0").some((each) => /^container=./.test(each));
  } catch (error) {
    if (isFault(error)) return false; // for root only
    throw error;
  }
}
