import { bytesOf } from "#core/bytes.ts";
import { durationMs } from "#core/duration.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { RetentionLimits } from "#provisioner/system/retention.ts";

const day = 86_400_000;
const gibibyte = 2 ** 30;

/** How many generations stay, as the settings say it or as is right for most machines. */
export function retentionLimits({ generations = {} }: Settings): RetentionLimits {
  const { keep = 10, maxAge, minFreeSpace, garbage = "needed" } = generations;
  return {
    keep,
    maxAgeMs: durationMs(maxAge, 90 * day),
    minFreeBytes: bytesOf(minFreeSpace, gibibyte),
    garbage,
  };
}
