import type { Json } from "#core/canonical-json.ts";
import type { JsonObject } from "../cloud.ts";

/** An object; one without keys where there is another value. */
export function objectIn(value: Json | undefined): JsonObject {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as JsonObject) : {};
}

/** A list; an empty one where there is another value. */
export function listIn(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** A text that is not empty. */
export function textIn(value: Json | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
