import { sha256 } from "#core/canonical-json.ts";
import type { Files } from "#core/io.ts";
import type { MetaData } from "./meta-data.ts";

/**
 * Meta-data of a machine that nobody gave any: an instance-id made from its machine-id, so that each
 * installation is an instance. Without one it is empty, and the instance-id is missing.
 */
export function metaDataOfMachine(files: Files): MetaData {
  const machineId = files.readText("/etc/machine-id", { maxBytes: 4096 })?.trim() ?? "";
  const isKnown = /^[0-9a-f]{32}$/.test(machineId);
  const digest = sha256(`firstlight instance ${machineId}`).slice(0, 16); // machine-id(5): not shown as it is
  const value = isKnown ? { "instance-id": `iid-${digest}` } : {};
  return { value, findings: [], locate: () => undefined };
}
