import { Fault } from "#core/fault.ts";
import type { Datasource, Detection } from "./datasource.ts";
import { findGuestInfoTools, type GuestInfoTool } from "./guestinfo.ts";
import { readGuestInfoVariables } from "./guestinfo-variables.ts";

/** Where guestinfo is read: of the environment of process 1, else by a program that asks the hypervisor. */
export interface VmwareDetection extends Detection {
  readonly tools: readonly GuestInfoTool[];
}

/**
 * VMware: `metadata`, `userdata` and `vendordata` of a guest's guestinfo, or of `VMX_GUESTINFO_…` in the
 * environment of process 1 (containers), as cloud-init has it
 * (https://docs.cloud-init.io/en/latest/reference/datasources/vmware.html). Whether there is guestinfo
 * only the hypervisor knows. Nothing is written to it.
 */
export const vmware: Datasource<VmwareDetection> = {
  name: "VMware",
  needs: "nothing",
  detect(io, observe = () => {}) {
    const variables = readGuestInfoVariables(io.files);
    const names = [...variables.keys()];
    if (names.length > 0) {
      const observation = `environment of process 1: guestinfo ${names.join(", ")}`;
      observe(observation);
      const place = "environment of process 1";
      return { place, identity: place, removable: false, evidence: [observation], tools: [] };
    }
    const tools = findGuestInfoTools(io);
    const [tool] = tools;
    if (tool === undefined) return undefined;
    const observation = `guest of VMware with ${tool.name}`;
    observe(observation);
    const place = { place: "guestinfo", identity: "guestinfo", removable: false };
    return { ...place, evidence: [observation], tools, tentative: true };
  },
  async read(io, detection, tools) {
    if (detection.tools.length > 0 && tools === undefined)
      throw new Fault("datasource/none", "guestinfo is read by the boot itself");
    const { readVmware } = await import("./vmware-content.ts");
    return readVmware(io, detection);
  },
};
