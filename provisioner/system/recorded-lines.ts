import { defaultBuildLimits } from "./build-limits.ts";
import { type CommandSettings, commandLines } from "./command-lines.ts";
import { defaultLimits } from "./driver.ts";
import { storeLines } from "./fetch/store-lines.ts";
import { systemPaths } from "./paths.ts";

export const recordedPaths = systemPaths({});

/** A machine without systemd, with these caches. */
export function recordedSettings(substituters: readonly string[]): CommandSettings {
  return {
    paths: recordedPaths,
    hostSources: recordedPaths.sources,
    hostCredentials: recordedPaths.credentials,
    substituters,
    buildTimeoutMs: 60_000,
    buildLimits: defaultBuildLimits,
    activationTimeoutMs: 60_000,
    wayBackMs: 60_000,
    systemd: false,
    apart: false,
    nixPath: undefined,
    reboot: "allow",
    limits: defaultLimits,
  };
}

/** The lines that are recorded. */
export function recordedLines(substituters: readonly string[] = []) {
  const settings = recordedSettings(substituters);
  return { ...commandLines(settings), ...storeLines(settings) };
}
