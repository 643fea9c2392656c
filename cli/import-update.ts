import { resolve } from "node:path";
import { readSettings } from "#agent/settings.ts";
import { readAssigned } from "#agent/update/assignment.ts";
import { type Imported, importUpdate } from "#agent/update/brought.ts";
import { Fault } from "#core/fault.ts";
import { courierSocket } from "#provisioner/system/sides/places.ts";
import type { Invocation } from "./command.ts";
import { receiveSigned } from "./receive-signed.ts";
import { submitter } from "./submit.ts";
import { mirrorsFor } from "./update-mirrors.ts";

/** Takes an update in from a directory of this machine. Throws as {@link importUpdate}. */
export async function importFrom(
  invocation: Invocation,
  path: string,
  { automatic }: { readonly automatic: boolean },
): Promise<Imported> {
  const { io, log, signal } = invocation;
  const settings = await readSettings(io.files);
  if (automatic && settings.update?.removable !== true) {
    throw new Fault("update/import-held", `${path}: nobody may bring an update on a stick here`, {
      hint: "a person can: firstlight update import; or set update.removable in the settings",
    });
  }
  const submit = async (bytes: Uint8Array) =>
    io.files.stat(courierSocket)?.kind === "other"
      ? submitter(io)({ topic: "desired", bytes })
      : receiveSigned({ topic: "desired", bytes }, { io, log });
  const keepDocument = async () => {
    const assigned = readAssigned(io.files);
    const assignment = assigned?.assignment ?? undefined;
    if (assignment === undefined || assigned?.documents[assignment.release.path] !== undefined)
      return;
    const { bringDocument } = await import("#agent/update/bring.ts");
    const { downloadCourier } = await import("./courier.ts");
    const courier = downloadCourier(io, settings);
    const mirrors = mirrorsFor(io, settings)(assignment).slice(0, 1);
    await bringDocument({ io, log, settings, courier, mirrors, signal }, assignment.release);
  };
  return importUpdate({ io, log, submit, keepDocument }, resolve("/", path));
}
