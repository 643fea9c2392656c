import type { Problem } from "./describe.ts";
import { formsBelow, formsOf, rootForms, type Schema } from "./places.ts";

/** A note for each key, or form of a value, that cloud-init has a newer word for. */
export function findDeprecated(value: unknown): readonly Problem[] {
  const found: Problem[] = [];
  visit(value, rootForms(), [], found);
  return found;
}

function visit(
  value: unknown,
  here: readonly Schema[],
  path: readonly string[],
  found: Problem[],
): void {
  for (const form of here) {
    if (form["deprecated"] === true && isOf(value, form)) found.push(note(form, path));
  }
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    visit(inner, formsBelow(here, Array.isArray(value) ? 0 : key), [...path, key], found);
  }
}

/** Whether a value has the kind that a form of it is for; a deprecated key counts whatever it holds. */
function isOf(value: unknown, form: Schema): boolean {
  const { type, enum: values, pattern, $ref } = form;
  if (Array.isArray(values)) return values.includes(value);
  if (typeof $ref === "string") return isOf(value, formsOf(form)[1] ?? {});
  if (typeof pattern === "string" && typeof value === "string") {
    return new RegExp(pattern, "u").test(value);
  }
  switch (type) {
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case undefined:
      return true;
    default:
      return typeof value === type;
  }
}

function note(form: Schema, path: readonly string[]): Problem {
  const [since = "", instead = ""] = String(form["$comment"]).split(": ");
  return {
    ...{ path, target: "key", level: "note", code: "cloud-config/deprecated" },
    message: `deprecated in cloud-init ${since.replace(/^since /, "since ")}`,
    hint: instead,
  };
}
