import { describeFault } from "#core/fault.ts";
import { hostClock } from "#core/host-io.ts";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import { courierSocket } from "#provisioner/system/sides/places.ts";
import type { SystemStatus } from "#provisioner/system/system.ts";

/**
 * What is under way and what runs, asked at the courier's door; `undefined` where there is none, or
 * none that answers now.
 */
export async function askStatus(io: Io, log: Log): Promise<SystemStatus | undefined> {
  if (io.files.stat(courierSocket)?.kind !== "other") return undefined;
  const { askCourierDoor } = await import("#provisioner/system/sides/connect.ts");
  const address = { path: io.files.hostPath(courierSocket), clock: hostClock };
  try {
    return (await askCourierDoor(address, { kind: "status" })) as SystemStatus;
  } catch (error) {
    const { code, message } = describeFault(error);
    log.warning("system.status-unknown", { code, message });
    return undefined;
  }
}
