import type { Json } from "#core/canonical-json.ts";
import { isSecretRef } from "#core/secret.ts";
import type { SpecDraft } from "./draft.ts";
import type { Input, PathPart } from "./input.ts";

type Mutable = { [key: string]: MutableJson };
type MutableJson = Json | MutableJson[] | Mutable;

/** Places of the spec that hold a secret, `*` for any key or index, and how the secret is named. */
const secretPlaces: readonly {
  readonly path: readonly string[];
  readonly name: (path: readonly PathPart[]) => string;
}[] = [
  { path: ["users", "*", "passwordHash"], name: ([, user]) => `user-${user}-password` },
  { path: ["files", "*", "secret"], name: ([, index]) => `file-${index}` },
  { path: ["commands", "*", "script"], name: ([, index]) => `command-${index}` },
  { path: ["report", "mqtt", "password"], name: () => "mqtt-password" },
];

/**
 * Takes a hand-written part of a spec into the draft: mappings are merged, lists are added to,
 * everything else replaces. Plain text where the spec wants a secret goes to the secrets at once,
 * and so does the content of a file that not everybody may read. Nothing is checked here but that;
 * the schema checks the whole afterwards.
 */
export function fillFromFirstlight(input: Input, draft: SpecDraft): void {
  input.mark("translated");
  if (input.value === null) return;
  if (!input.isMapping()) return input.expected("a mapping of the spec's keys");
  mergeInto(draft.spec as unknown as Mutable, input, [], draft);
}

function mergeInto(
  target: Mutable,
  input: Input,
  path: readonly PathPart[],
  draft: SpecDraft,
): void {
  for (const [key, child] of input.entries()) {
    const childPath = [...path, key];
    const present = Object.hasOwn(target, key) ? target[key] : undefined;
    if (child.isMapping() && isMapping(present) && !isSecretRef(child.value)) {
      mergeInto(present, child, childPath, draft);
    } else if (child.isList() && Array.isArray(present)) {
      const start = present.length;
      for (const [index, item] of child.items().entries()) {
        present.push(take(item, [...childPath, start + index], draft));
      }
    } else {
      const value = take(child, childPath, draft);
      Object.defineProperty(target, key, {
        value,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
  }
}

/** A copy of the value with its secrets taken out, and the place of each part noted. */
function take(input: Input, path: readonly PathPart[], draft: SpecDraft): MutableJson {
  draft.origin(path, input);
  const place = secretPlaces.find((candidate) => fits(candidate.path, path));
  if (place !== undefined) {
    const text = isSecretRef(input.value) ? undefined : input.looseText();
    return text === undefined
      ? (input.value as MutableJson)
      : { ...draft.secret(place.name(path), text) };
  }
  if (input.isList())
    return input.items().map((item, index) => take(item, [...path, index], draft));
  if (!input.isMapping()) return input.value as MutableJson;
  const copy: Mutable = {};
  for (const [key, child] of input.entries()) {
    const value = take(child, [...path, key], draft);
    Object.defineProperty(copy, key, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  if (fits(["files", "*"], path)) hideContent(copy, path, draft);
  return copy;
}

/** `content` of a file with a mode that keeps others out is a secret, whatever its author called it. */
function hideContent(file: Mutable, path: readonly PathPart[], draft: SpecDraft): void {
  const { content, mode } = file;
  if (typeof content !== "string" || typeof mode !== "string" || !/^[0-7]{3,4}$/.test(mode)) return;
  if ((Number.parseInt(mode, 8) & 0o004) !== 0) return;
  delete file["content"];
  file["secret"] = { ...draft.secret(`file-${path.at(-1)}`, content) };
}

function fits(pattern: readonly string[], path: readonly PathPart[]): boolean {
  return (
    pattern.length === path.length &&
    pattern.every((part, index) => part === "*" || part === path[index])
  );
}

function isMapping(value: MutableJson | undefined): value is Mutable {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
