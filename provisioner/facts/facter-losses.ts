import type { Facts } from "#generated/provisioner/facts/facts.ts";

/** For tests: facts without what a report of nixos-facter has no place for, which then is unknown. */
export function withoutFacterLosses(facts: Facts): Facts {
  const { cpu } = facts;
  const arm = cpu.architecture !== "x86_64";
  const unknown = { microcode: null, sockets: null, cores: null, threads: null };
  return {
    ...facts,
    kernelRelease: null,
    deviceTree: null,
    dmi: facts.dmi === null ? null : { ...facts.dmi, chassisAssetTag: null },
    cpu: arm
      ? { ...cpu, ...unknown, vendor: null, family: null, model: null, stepping: null }
      : { ...cpu, ...unknown },
    blockDevices: (facts.blockDevices ?? []).map((each) => ({
      ...each,
      removable: null,
      readOnly: null,
      rotational: null,
      wwid: null,
      partitionTable: null,
      signature: null,
      partitions: [],
    })),
    gpus: (facts.gpus ?? []).map((each) => ({ ...each, bootVga: null })),
    network: (facts.network ?? []).map((each) => ({ ...each, mac: null })),
    firmware:
      facts.firmware.type === "uefi"
        ? { ...facts.firmware, secureBoot: null, setupMode: null }
        : { ...facts.firmware, type: arm ? null : facts.firmware.type },
    tpm: null,
    features: { ...facts.features, touchscreen: null, sensors: null, battery: null },
    virtualisationWitnesses: [],
    unread: [],
  };
}
