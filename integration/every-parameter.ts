import type { PlainData } from "#provisioner/nix-language/from-json.ts";
import type { Template } from "#provisioner/render/templates.ts";

interface Schema {
  readonly type?: string;
  readonly examples?: readonly PlainData[];
  readonly enum?: readonly PlainData[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | false;
  readonly items?: Schema;
}

/** Parameters that exclude another one of their template. */
const instead: Readonly<Record<string, readonly string[]>> = { kiosk: ["program"] };

/** Every parameter of a template at once, each as its schema shows it. */
export function everyParameter({ name, schema }: Template): Readonly<Record<string, PlainData>> {
  const all = shown(schema as Schema) as Readonly<Record<string, PlainData>>;
  return Object.fromEntries(
    Object.entries(all).filter(([key]) => instead[name]?.includes(key) !== true),
  );
}

function shown({ examples, items, properties, additionalProperties, ...rest }: Schema): PlainData {
  if (examples !== undefined) return examples[0] ?? null;
  if (items !== undefined) return [shown(items)];
  if (properties !== undefined)
    return Object.fromEntries(Object.entries(properties).map(([key, each]) => [key, shown(each)]));
  if (additionalProperties) return { web: shown(additionalProperties) };
  return rest.enum?.[0] ?? null;
}
