import { Fault } from "#core/fault.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { validate } from "#generated/provisioner/facts/facts.validate.js";
import { readFactsText } from "#provisioner/facts/read-facts-text.ts";
import { readInput } from "./read-input.ts";

/** Facts from a file: ours, or a report of nixos-facter. Throws `facts/invalid`. */
export async function readFactsFile(name: string, signal: AbortSignal): Promise<Facts> {
  const text = Buffer.from(await readInput(name, { signal })).toString("utf8");
  const value = readFactsText(name, text);
  if (validate(value)) return value as Facts;
  const errors = validate.errors ?? [];
  const { factsFromFacter, isFacterReport, otherVersion } = await import(
    "#provisioner/facts/facter.ts"
  );
  if (isFacterReport(value)) return factsFromFacter(value);
  const version = otherVersion(value);
  if (version !== undefined) {
    throw new Fault(
      "facts/invalid",
      `${name}: a report of nixos-facter of version ${version}; 1 and 2 are understood`,
      { hint: "take facts of firstlight: firstlight facts --json" },
    );
  }
  const [first] = errors;
  throw new Fault(
    "facts/invalid",
    `${name}: neither facts of firstlight nor a report of nixos-facter: ${first?.instancePath ?? ""} ${first?.message ?? ""}`,
  );
}
