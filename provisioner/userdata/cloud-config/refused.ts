import type { Json } from "#core/canonical-json.ts";
import type { Code } from "#core/codes.ts";
import { shownKey } from "#core/finding.ts";
import type { Input } from "../input.ts";
import { getOwn } from "../own-key.ts";
import type { CloudConfigModule } from "./module.ts";

type Kind = "text" | "a number" | "true or false" | "a list" | "a mapping";

/** A key that is not translated: NixOS has nothing of the kind. */
export interface RefusedKey {
  /** Kinds of value that cloud-init takes here; another is an error. */
  readonly takes: readonly Kind[];
  /** The NixOS way to do the same. */
  readonly way: string;
  /** What stands below it by key, each named at its own place. */
  readonly parts?: RefusedKeys;
  /** Whether cloud-init knows this value; any of those kinds when absent. */
  readonly isKnown?: (value: Json) => boolean;
  /** Of the finding, where it is another than that of a key that is not translated. */
  readonly code?: Code;
  /** Whether a value asks for what is so on NixOS anyway, so that nothing is lost. */
  readonly isSo?: (value: Json) => boolean;
}

export type RefusedKeys = Readonly<Record<string, RefusedKey>>;

/** A module none of whose keys is translated. */
export function refusedModule({
  keys,
  ...about
}: Pick<CloudConfigModule, "name" | "rule" | "example"> & {
  readonly keys: RefusedKeys;
}): CloudConfigModule {
  return {
    ...about,
    isRefused: true,
    keys: Object.keys(keys),
    translate({ config }) {
      for (const [key, refused] of Object.entries(keys)) {
        const input = config.get(key);
        if (input !== undefined) refuse(input, refused);
      }
    },
  };
}

/** Names a value, or each part of it that is known; the unknown ones are left for the translation to name. */
export function refuse(input: Input, refused: RefusedKey): void {
  const { takes, way, parts, isSo, isKnown, code } = refused;
  const { value } = input;
  if (!takes.includes(kindOf(value))) return input.expected(takes.join(" or "), way);
  if (isKnown?.(value) === false) {
    const message = "cloud-init does not know this value";
    return input.unsupported({ code: "cloud-config/unknown-value", message, hint: way });
  }
  if (isSo?.(value) === true || isEmpty(value)) return nameNeedless(input, way);
  if (parts === undefined || !input.isMapping()) return nameRefused(input, way, code);
  for (const [key, inner] of input.entries()) {
    const part = getOwn(parts, key);
    if (part !== undefined) refuse(inner, part);
  }
}

/** Names a value that is not used, with the NixOS way. */
export function nameRefused(
  input: Input,
  way: string,
  code: Code = "cloud-config/unsupported-key",
): void {
  const message = `\`${nameOf(input)}\` is not translated`;
  input.unsupported({ code, message, hint: way });
}

/** Names a value that nothing is lost without. */
export function nameNeedless(input: Input, why: string): void {
  const message = `\`${nameOf(input)}\` asks for nothing that is needed here`;
  input.unsupported({ code: "cloud-config/no-meaning", message, hint: why }, "note");
}

/** The keys that lead to a value, without the numbers of lists. */
function nameOf({ path }: Input): string {
  const keys = path.filter((part) => typeof part === "string");
  return keys.map((key) => shownKey(key)).join(".");
}

function isEmpty(value: Json): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

/** Of a value that is not null. */
function kindOf(value: Json): Kind {
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "string":
      return "text";
    case "number":
      return "a number";
    case "boolean":
      return "true or false";
    default:
      return "a mapping";
  }
}

const key = (
  takes: RefusedKey["takes"],
  way: string,
  rest: Partial<RefusedKey> = {},
): RefusedKey => ({
  takes,
  way,
  ...rest,
});

/** Short ways to write the keys of a refused module. */
export const refused = {
  text: (way: string, isSo?: RefusedKey["isSo"]) => key(["text"], way, isSo && { isSo }),
  list: (way: string) => key(["a list"], way),
  mapping: (way: string, parts?: RefusedKeys) => key(["a mapping"], way, parts && { parts }),
  flag: (way: string, isSo?: RefusedKey["isSo"]) => key(["true or false"], way, isSo && { isSo }),
  anyOf: (takes: RefusedKey["takes"], way: string, isSo?: RefusedKey["isSo"]) =>
    key(takes, way, isSo && { isSo }),
};
