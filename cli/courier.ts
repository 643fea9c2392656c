import { fetchProxy } from "#agent/fetch-settings.ts";
import type { Io } from "#core/io.ts";
import type { Settings } from "#generated/agent/settings.ts";
import { type Courier, viaProxy } from "#provisioner/system/fetch/courier.ts";
import { thisProgram } from "./this-program.ts";

/**
 * Who goes to the network, loaded with the first way: as root under systemd a child without
 * privileges, else this process. Files of this machine are read here.
 */
export function nodeCourier(io: Io): Courier {
  let opened: Promise<Courier> | undefined;
  return {
    async open(request) {
      opened ??= open(io);
      return (await opened).open(request);
    },
  };
}

async function open(io: Io): Promise<Courier> {
  const { hostCourier } = await import("#provisioner/system/fetch/host-courier.ts");
  const isRoot = io.files.root === "/" && process.geteuid?.() === 0;
  const hasSystemd = io.files.stat("/run/systemd/system")?.kind === "directory";
  if (!isRoot || !hasSystemd) return hostCourier(io.files);
  const { apart, courierChild } = await import("#provisioner/system/sides/courier-child.ts");
  return hostCourier(io.files, courierChild(apart(thisProgram("courier"))));
}

/** The same for downloads: through the proxy that the settings name. */
export function downloadCourier(io: Io, settings: Settings): Courier {
  return viaProxy(nodeCourier(io), fetchProxy(io.files, settings));
}
