import { sha256 } from "#core/canonical-json.ts";
import { type Files, readBootId } from "#core/io.ts";
import type { EnrollRequest } from "#generated/protocol/enroll/request.ts";

/** Which machine this is, as it tells the enrolment server. */
export type EnrolMachine = EnrollRequest["machine"];

/** The part of it by which copies of a disk are told apart. */
export type MachineMarks = Pick<EnrolMachine, "instanceId" | "hardware">;

/** What this boot's datasource said; written by the boot. */
const instanceDataFile = "/run/firstlight/instance-data.json";
/** What the firmware says that no two machines share; root may read them. */
const uniqueFiles = [
  "/sys/class/dmi/id/product_uuid",
  "/sys/class/dmi/id/product_serial",
  "/sys/class/dmi/id/board_serial",
  "/sys/firmware/devicetree/base/serial-number",
] as const;
/** What firmware says where nobody has written a serial number: the same on many machines. */
const placeholder =
  /^(?:0+|[f-]+|[0f-]+|none|n\/?a|default string|to be filled by o\.e\.m\.|not (?:specified|applicable|available)|system serial number|123456789|03000200-0400-0500-0006-000700080009)$/i;
const maxBytes = 4_096;

/** Reads which machine this is; what is not known is `null`. */
export function readMachine(files: Files): EnrolMachine {
  const hostname = files.readText("/proc/sys/kernel/hostname", { maxBytes })?.trim();
  return {
    instanceId: readInstanceId(files),
    hardware: readHardware(files),
    bootId: readBootId(files),
    ...(hostname === undefined || hostname === "" ? {} : { hostname: hostname.slice(0, 255) }),
  };
}

/** Which datasource this boot has; `undefined` before it was read. */
export function readDatasource(files: Files): string | undefined {
  const name = (instanceData(files)["datasource"] as { readonly name?: unknown } | undefined)?.name;
  return typeof name === "string" ? name : undefined;
}

/** Whether what was known of a machine differs from what is; what is not known says nothing. */
export function isOtherMachine(was: MachineMarks, is: MachineMarks): boolean {
  const differs = (a: string | null, b: string | null) => a !== null && b !== null && a !== b;
  return differs(was.instanceId, is.instanceId) || differs(was.hardware, is.hardware);
}

function readInstanceId(files: Files): string | null {
  const v1 = instanceData(files)["v1"] as { readonly instance_id?: unknown } | undefined;
  const id = v1?.instance_id;
  return typeof id === "string" && id !== "" && id.length <= 256 ? id : null;
}

/** Empty before the boot has written it, or where it cannot be read. */
function instanceData(files: Files): Readonly<Record<string, unknown>> {
  try {
    const text = files.readText(instanceDataFile, { maxBytes: 4 * 1024 * 1024 });
    const value: unknown = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Only a digest leaves the machine: serial numbers are nobody's business. */
function readHardware(files: Files): string | null {
  const said = uniqueFiles.flatMap((path) => {
    const text = readValue(files, path);
    return text === "" || placeholder.test(text) ? [] : [[path, text.toLowerCase()]];
  });
  return said.length === 0 ? null : sha256(JSON.stringify(said));
}

function readValue(files: Files, path: string): string {
  try {
    return (files.readText(path, { maxBytes }) ?? "").replaceAll("\0", "").trim();
  } catch {
    return ""; // only root may read it
  }
}
