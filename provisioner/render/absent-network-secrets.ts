import { nearest } from "#core/nearest.ts";
import { addFinding, type Concern } from "./assignment.ts";
import { networkSecretPath } from "./network-secrets.ts";

const directory = networkSecretPath("");

/** Warns of options that name the file of a network secret which the spec does not have. */
export function warnOfAbsentNetworkSecrets(
  concern: Concern,
  from: readonly string[],
  data: unknown,
): void {
  if (typeof data === "string") return warnOfAbsent(concern, from, data);
  if (typeof data !== "object" || data === null) return;
  for (const [part, inner] of Object.entries(data)) {
    warnOfAbsentNetworkSecrets(concern, [...from, part], inner);
  }
}

function warnOfAbsent(concern: Concern, from: readonly string[], text: string): void {
  if (!text.startsWith(directory)) return;
  const names = Object.keys(concern.spec.networkSecrets ?? {});
  const name = text.slice(directory.length);
  if (names.includes(name)) return;
  const near = nearest(name, names);
  const message = "nothing puts this file there: `networkSecrets` has no entry of its name";
  const hint = near === undefined ? "add it to `networkSecrets`" : `did you mean \`${near}\`?`;
  addFinding(concern, from, "warning", "render/network-secret-unknown", message, hint);
}
