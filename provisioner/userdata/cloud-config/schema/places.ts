import schema from "./cloud-config.schema.json" with { type: "json" };

/** A schema of some value, by keyword. */
export type Schema = { readonly [keyword: string]: unknown };

/** The schema of cloud-config itself with its forms. */
export function rootForms(): readonly Schema[] {
  return formsOf(schema);
}

/** Every form that the value at a path of a document may have. */
export function formsAt(path: readonly string[]): readonly Schema[] {
  return path.reduce(
    (forms, part) => [
      ...formsBelow(forms, part),
      ...(/^[0-9]+$/.test(part) ? formsBelow(forms, Number(part)) : []),
    ],
    rootForms(),
  );
}

/** The forms of what stands under a key of a mapping, or at the index of a list, that has one of these. */
export function formsBelow(forms: readonly Schema[], part: string | number): readonly Schema[] {
  return forms.flatMap((form) =>
    formsOf(typeof part === "number" ? form["items"] : propertyOf(form, part)),
  );
}

/** The schema itself with all it refers to and every alternative in it. */
export function formsOf(at: unknown): readonly Schema[] {
  if (!isSchema(at)) return [];
  const { $ref, anyOf } = at;
  const referred =
    typeof $ref === "string" ? formsOf((schema.$defs as Schema)[$ref.replace("#/$defs/", "")]) : [];
  const branches = Array.isArray(anyOf) ? anyOf.flatMap(formsOf) : [];
  return [at, ...referred, ...branches];
}

function propertyOf({ properties, additionalProperties }: Schema, key: string): unknown {
  if (isSchema(properties) && Object.hasOwn(properties, key)) return properties[key];
  return isSchema(additionalProperties) ? additionalProperties : undefined;
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
