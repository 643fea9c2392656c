import type { Io } from "#core/io.ts";
import type { Courier } from "#provisioner/system/sides/courier.ts";
import { thisProgram } from "./this-program.ts";

/**
 * Who goes to the network: as root under systemd a child without privileges for each address, else
 * this process.
 */
export async function openCourier(io: Io): Promise<Courier> {
  const isRoot = io.files.root === "/" && process.geteuid?.() === 0;
  const hasSystemd = io.files.stat("/run/systemd/system")?.kind === "directory";
  if (!isRoot || !hasSystemd) {
    return (await import("#provisioner/system/sides/http-courier.ts")).httpCourier;
  }
  const { apart, courierChild } = await import("#provisioner/system/sides/courier-child.ts");
  return courierChild(apart(thisProgram("courier")));
}
