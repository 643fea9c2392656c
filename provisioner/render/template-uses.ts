import { canonicalJson } from "#core/canonical-json.ts";
import type { TemplateUse } from "#generated/provisioner/spec/v1.ts";
import type { Template } from "./templates.ts";

/** Why a template cannot be used this way a second time, and what to do. */
export interface UseClash {
  readonly message: string;
  readonly hint: string;
}

/**
 * What a second use of a template has against the first one: nothing where they differ in each parameter that
 * tells its uses apart.
 */
export function clashOf(
  template: Template,
  first: TemplateUse,
  second: TemplateUse,
): UseClash | undefined {
  const [a, b] = [first.parameters ?? {}, second.parameters ?? {}];
  if (canonicalJson(a) === canonicalJson(b))
    return { message: "with the same parameters", hint: "remove one of the two" };
  if (template.apart.length === 0)
    return { message: "and a machine has one of it", hint: "put the parameters of both together" };
  return template.apart
    .map((key) => {
      const { type, default: standard } = property(template, key);
      if (type === "object") return clashOfMappings(key, a, b);
      return (a[key] ?? standard) === (b[key] ?? standard)
        ? { message: `with the same \`${key}\``, hint: `give each its own \`${key}\`` }
        : undefined;
    })
    .find((clash) => clash !== undefined);
}

type Parameters = NonNullable<TemplateUse["parameters"]>;

/** Names of a mapping become parts of one system: all beside it is of the system, and must be the same. */
function clashOfMappings(key: string, a: Parameters, b: Parameters): UseClash | undefined {
  const names = Object.keys(a[key] ?? {}).filter((name) => Object.hasOwn(b[key] ?? {}, name));
  if (names.length > 0)
    return {
      message: `which has \`${names.join("`, `")}\` under \`${key}\` as well`,
      hint: "say each in one of the two",
    };
  const others = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter(
    (name) => name !== key && canonicalJson(a[name] ?? null) !== canonicalJson(b[name] ?? null),
  );
  if (others.length === 0) return undefined;
  return {
    message: `which says \`${others.join("`, `")}\` otherwise`,
    hint: `put the parameters of both together: only \`${key}\` may differ`,
  };
}

interface Property {
  readonly type?: unknown;
  readonly default?: unknown;
}

function property({ schema }: Template, name: string): Property {
  return (schema["properties"] as Readonly<Record<string, Property>>)[name] ?? {};
}
