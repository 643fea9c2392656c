import type { Json } from "#core/canonical-json.ts";

/** Names that clouds have for it, in the order of cloud-init. */
const names = ["launch-index", "ami-launch-index"] as const;

/** Which of the machines that were started together this one is, by the meta-data; `null` where it does not say it. */
export function launchIndexOf(metaData: Json): number | null {
  if (typeof metaData !== "object" || metaData === null || Array.isArray(metaData)) return null;
  const values = metaData as { readonly [key: string]: Json };
  const value = names.map((name) => values[name]).find((each) => each !== undefined);
  const text = typeof value === "number" || typeof value === "string" ? String(value).trim() : "";
  return /^[+-]?\d{1,15}$/.test(text) ? Number(text) : null;
}
