import { readYaml } from "../yaml.ts";
import type { PartFormat } from "./part.ts";
import type { PartHeader } from "./part-header.ts";

/** For which of the machines that are started together a part is. */
export type LaunchIndex = number | "unreadable" | undefined;

/** By its header, else of a cloud-config by its key `launch-index`. */
export function launchIndexOf(
  header: PartHeader,
  format: PartFormat,
  text: string | undefined,
): LaunchIndex {
  if (header.launchIndex !== null) return wholeNumber(header.launchIndex) ?? "unreadable";
  if (format !== "cloud-config" || text === undefined) return undefined;
  if (!text.includes("launch-index")) return undefined;
  const { value } = readYaml(text, { document: "" });
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const index = (value as { readonly [key: string]: unknown })["launch-index"];
  return index === undefined || index === null ? undefined : wholeNumber(String(index));
}

function wholeNumber(text: string): number | undefined {
  return /^[+-]?\d{1,15}$/.test(text.trim()) ? Number(text) : undefined;
}
