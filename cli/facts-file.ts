import { Fault } from "#core/fault.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { validate } from "#generated/provisioner/facts/facts.validate.js";
import { readInput } from "./read-input.ts";

/** Facts from a file: ours, or a report of nixos-facter. Throws `facts/invalid`. */
export async function readFactsFile(name: string, signal: AbortSignal): Promise<Facts> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(await readInput(name, { signal })).toString("utf8"));
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault("facts/invalid", `${name}: expected JSON`, { cause });
  }
  if (validate(value)) return value as Facts;
  const { factsFromFacter, isFacterReport } = await import("#provisioner/facts/facter.ts");
  if (isFacterReport(value)) return factsFromFacter(value);
  const [first] = validate.errors ?? [];
  throw new Fault(
    "facts/invalid",
    `${name}: neither facts of firstlight nor a report of nixos-facter: ${first?.instancePath ?? ""} ${first?.message ?? ""}`,
  );
}
