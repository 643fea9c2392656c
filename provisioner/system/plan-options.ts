import { sha256 } from "#core/canonical-json.ts";
import { type Manifest, manifestFile, type UnfreePackage } from "#provisioner/render/manifest.ts";
import { type Values, valuesFile } from "#provisioner/render/values.ts";
import type { Origin } from "#provisioner/userdata/translation.ts";

/** An option that the new sources set otherwise than the old ones. */
export interface OptionChange {
  /** As Nix writes its name; an attribute inside an option's value has its path. */
  readonly option: string;
  readonly change: "added" | "changed" | "removed";
  /** As Nix writes the value; a secret is the name of its file. */
  readonly before: string | null;
  readonly after: string | null;
  /** The line of the input that sets it; of a removed one the line that did. `null`: firstlight itself. */
  readonly setBy: Origin | null;
}

/** What sources say of the options they set. */
export interface SetOptions {
  readonly values: ReadonlyMap<string, string>;
  readonly setBy: (option: string) => Origin | null;
  /** Packages that are not free and that somebody agreed to; `undefined` of sources that do not say it. */
  readonly unfree: readonly UnfreePackage[] | undefined;
}

/** Of sources that are known to set nothing: there are none yet. */
export const noOptions: SetOptions = { values: new Map(), setBy: () => null, unfree: [] };

/** Longer values are cut, with a digest of the whole, so that a difference behind the cut is one. */
const maxLength = 4_000;

/** Reads what sources set; `undefined` of sources that do not say it. `read` gives a file's text. */
export function readOptions(read: (path: string) => string | undefined): SetOptions | undefined {
  const values = parse(read(valuesFile)) as Partial<Values> | undefined;
  if (values?.v !== 1 || values.options == null) return undefined;
  const manifest = parse(read(manifestFile)) as Partial<Manifest> | undefined;
  const origins = manifest?.options ?? {};
  return {
    values: new Map(Object.entries(values.options)),
    setBy: (option) => nearestOrigin(origins, option),
    unfree: manifest?.unfree,
  };
}

/** Every option that differs, sorted by name. */
export function changedOptions(old: SetOptions, now: SetOptions): readonly OptionChange[] {
  const names = [...new Set([...old.values.keys(), ...now.values.keys()])].sort();
  return names.flatMap((option): readonly OptionChange[] => {
    const [before, after] = [shown(old.values.get(option)), shown(now.values.get(option))];
    if (before === after) return [];
    const change = before === null ? "added" : after === null ? "removed" : "changed";
    const setBy = (after === null ? old : now).setBy(option);
    return [{ option, change, before, after, setBy }];
  });
}

/** Of the option itself, or of the one whose value it stands in. */
function nearestOrigin(origins: Manifest["options"], option: string): Origin | null {
  for (let name = option; name !== ""; name = name.slice(0, Math.max(0, name.lastIndexOf(".")))) {
    if (Object.hasOwn(origins, name)) return origins[name] ?? null;
  }
  return null;
}

function shown(value: string | undefined): string | null {
  if (value === undefined || value.length <= maxLength) return value ?? null;
  const digest = sha256(value).slice(0, 16);
  return `${value.slice(0, maxLength)}… (${value.length} characters, SHA-256 ${digest}…)`;
}

function parse(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined; // written over by hand: it says nothing
  }
}
