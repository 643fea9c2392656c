import { isDeepStrictEqual } from "node:util";
import { isSecretRef, type SecretBag } from "#core/secret.ts";
import type { Translation } from "../translation.ts";

/**
 * The first path of the spec at which documents together ask for something else than the signed one by itself:
 * cloud-config has several words for one thing, so that one may be said without changing the other.
 * `undefined` where all that it says is kept. Lists of the spec itself, such as files, may have more entries.
 */
export function changedByOthers(
  alone: Translation,
  together: Translation,
  isSigned: (document: string) => boolean,
): string | undefined {
  const said = [...alone.origins].filter(([, { document }]) => isSigned(document));
  const paths = new Set(said.map(([path]) => path));
  const above = new Set(said.flatMap(([path]) => prefixesOf(path)));
  const isSaid = (path: string) =>
    above.has(path) || prefixesOf(path).some((each) => paths.has(each));
  return firstChanged(
    { value: plain(alone.spec, alone.secrets), path: [] },
    plain(together.spec, together.secrets),
    isSaid,
  );
}

interface Signed {
  readonly value: unknown;
  readonly path: readonly string[];
}

function firstChanged(
  { value, path }: Signed,
  other: unknown,
  isSaid: (path: string) => boolean,
): string | undefined {
  if (isMapping(value)) {
    const others = isMapping(other) ? other : {};
    for (const [key, inner] of Object.entries(value)) {
      const member = Object.hasOwn(others, key) ? others[key] : undefined;
      const found = firstChanged({ value: inner, path: [...path, key] }, member, isSaid);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  const name = path.join(".");
  if (!isSaid(name)) return undefined;
  if (!Array.isArray(value) || path.length > 1)
    return isDeepStrictEqual(value, other) ? undefined : name;
  const rest: unknown[] = Array.isArray(other) ? [...other] : [];
  for (const [index, item] of value.entries()) {
    if (!isSaid(`${name}.${index}`)) continue;
    const at = rest.findIndex((each) => isDeepStrictEqual(each, item));
    if (at === -1) return `${name}.${index}`;
    rest.splice(0, at + 1);
  }
  return undefined;
}

/** The same with secrets by their values, whatever they are called. */
function plain(value: unknown, secrets: SecretBag): unknown {
  if (isSecretRef(value)) {
    const bytes = secrets.get(value.secretRef)?.reveal();
    return bytes === undefined || bytes.length === 0
      ? value
      : [Buffer.from(bytes).toString("base64")];
  }
  if (Array.isArray(value)) return value.map((each) => plain(each, secrets));
  if (!isMapping(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, plain(inner, secrets)]),
  );
}

function prefixesOf(path: string): readonly string[] {
  const parts = path.split(".");
  return parts.map((_, index) => parts.slice(0, index + 1).join("."));
}

function isMapping(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
