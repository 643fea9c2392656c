import type { Files } from "#core/io.ts";
import {
  type GenerationRecord,
  generationRecordFile,
} from "#provisioner/render/generation-record.ts";

/**
 * What a system of the store says of itself; `undefined` of one that firstlight did not make, and
 * `unreadable` of another version or a damaged one: it may need anything.
 */
export function readGenerationRecord(
  storeFiles: Files,
  toplevel: string,
): GenerationRecord | undefined | "unreadable" {
  const file = `${toplevel}/${generationRecordFile}`;
  if (storeFiles.stat(file) === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(storeFiles.readText(file) ?? "");
    return isRecord(value) ? value : "unreadable";
  } catch {
    return "unreadable";
  }
}

function isRecord(value: unknown): value is GenerationRecord {
  const { v, content, release, instance, credentials, commands, hooks } = (value ??
    {}) as Partial<GenerationRecord>;
  return (
    v === 1 &&
    [content, release, instance].every((text) => typeof text === "string") &&
    [credentials, commands, hooks].every((items) => Array.isArray(items)) &&
    Array.isArray(credentials) &&
    credentials.every((name) => typeof name === "string")
  );
}
