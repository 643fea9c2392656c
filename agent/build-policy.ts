import { bytesOf } from "#core/bytes.ts";
import type { Settings } from "#generated/agent/settings.ts";
import { type BuildPolicy, defaultBuildPolicy } from "#provisioner/system/build-policy.ts";

/** What the settings let a build take of the machine; what they do not say is the default. */
export function buildPolicy({ build }: Settings): BuildPolicy {
  const { limits, evaluationMemory, keepFree, swap } = defaultBuildPolicy;
  const own = build ?? {};
  return {
    limits: { ...limits, ...own.limits },
    evaluationMemory: {
      leastBytes: bytesOf(own.evaluationMemory?.least, evaluationMemory.leastBytes),
      wantedBytes: bytesOf(own.evaluationMemory?.wanted, evaluationMemory.wantedBytes),
    },
    keepFree: {
      storeBytes: bytesOf(own.keepFree?.store, keepFree.storeBytes),
      stateBytes: bytesOf(own.keepFree?.state, keepFree.stateBytes),
      bootBytes: bytesOf(own.keepFree?.boot, keepFree.bootBytes),
      files: own.keepFree?.files ?? keepFree.files,
    },
    swap: own.swap ?? swap,
  };
}
