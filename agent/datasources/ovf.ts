import type { Datasource } from "./datasource.ts";
import { findOvf, type OvfDetection, preferPinnedOvf } from "./ovf-places.ts";

/**
 * OVF: the environment of a virtual machine (`ovf-env.xml`,
 * https://www.dmtf.org/standards/ovf) in a seed directory, as VMware's `guestinfo.ovfEnv`, or on a disc,
 * in this order, as cloud-init has it
 * (https://docs.cloud-init.io/en/latest/reference/datasources/ovf.html). Whether there is guestinfo only
 * the hypervisor knows.
 */
export const ovf: Datasource<OvfDetection> = {
  name: "OVF",
  needs: "disk",
  detect: (io, observe = () => {}) => findOvf(io, observe),
  preferring: preferPinnedOvf,
  async read(io, detection, tools) {
    const { readOvf } = await import("./ovf-content.ts");
    return readOvf(io, detection, tools);
  },
};
