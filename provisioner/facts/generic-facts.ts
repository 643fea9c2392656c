import type { Facts } from "#generated/provisioner/facts/facts.ts";

/**
 * Facts of no machine in particular, for rendering without one: everything but the architecture is
 * unknown. `architecture` is the kernel's name, `x86_64` or `aarch64`, or `null` for unknown too.
 */
export function genericFacts(architecture: string | null): Facts {
  return {
    v: 1,
    kernelRelease: null,
    dmi: null,
    deviceTree: null,
    chassis: null,
    cpu: {
      architecture,
      vendor: null,
      family: null,
      model: null,
      stepping: null,
      microcode: null,
      name: null,
      sockets: null,
      cores: null,
      threads: null,
      flags: null,
      hypervisor: null,
    },
    memoryBytes: null,
    pci: null,
    gpus: null,
    usb: null,
    blockDevices: null,
    network: null,
    firmware: { type: null, secureBoot: null, setupMode: null, platformBits: null },
    tpm: null,
    features: {
      bluetooth: null,
      fingerprint: null,
      camera: null,
      touchscreen: null,
      sensors: null,
      battery: null,
    },
    virtualisation: null,
    virtualisationWitnesses: [],
    unread: [],
  };
}
