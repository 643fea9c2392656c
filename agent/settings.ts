import { Fault } from "#core/fault.ts";
import { byPlace, type Finding, findingPath, placeOfFinding } from "#core/finding.ts";
import type { Files } from "#core/io.ts";
import { nearest } from "#core/nearest.ts";
import { oneOf } from "#core/one-of.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { ValidationError } from "#generated/agent/settings.validate.js";
import type { YamlDocument } from "#provisioner/userdata/yaml.ts";

/** Where the owner of the image says how firstlight behaves; written by `nixos/module.nix`. */
export const settingsFile = "/etc/firstlight/settings.json";

/** The settings, empty when there is no file. Throws `settings/invalid` with every fault of the file. */
export async function readSettings(files: Files): Promise<Settings> {
  const text = files.readText(settingsFile, { maxBytes: 1024 * 1024 });
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Fault("settings/invalid", `${settingsFile}: not JSON: ${reason}`, { cause: error });
  }
  const { validate, knownKeys } = await import("#generated/agent/settings.validate.js");
  if (validate(value)) return value as Settings;
  // A text of JSON is YAML as well, and its reader knows where everything stands.
  const { readYaml } = await import("#provisioner/userdata/yaml.ts");
  const { locate } = readYaml(text, { document: settingsFile });
  const findings = (validate.errors ?? [])
    .map((error) => toFinding(error, { settings: value, knownKeys, locate }))
    .sort(byPlace);
  const [first, ...more] = findings;
  const others = more.length === 0 ? "" : ` (and ${more.length} more)`;
  const said = first === undefined ? "does not fit" : `${placeOfFinding(first)}: ${first.message}`;
  throw new Fault("settings/invalid", `${said}${others}`, {
    findings,
    ...(first?.hint == null ? {} : { hint: `${settingsFile}: ${first.hint}` }),
  });
}

/** What a fault of the settings is told from. */
interface Given extends Pick<YamlDocument, "locate"> {
  readonly settings: unknown;
  readonly knownKeys: Readonly<Record<string, readonly string[]>>;
}

function toFinding(error: ValidationError, { settings, knownKeys, locate }: Given): Finding {
  const { instancePath, schemaPath, params, message = "does not fit" } = error;
  const parent = instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  const added = params["additionalProperty"];
  const path = typeof added === "string" ? [...parent, added] : parent;
  const known = knownKeys[schemaPath.replace(/\/additionalProperties$/, "")] ?? [];
  const place = locate(path, typeof added === "string" ? "key" : "value");
  const about = {
    document: settingsFile,
    path: findingPath(path),
    line: place?.line ?? null,
    column: place?.column ?? null,
    level: "error",
    code: "settings/invalid",
  } as const;
  if (typeof added === "string")
    return { ...about, message: "no such key", hint: suggestion(added, known) };
  if (error.keyword === "pattern") {
    const form = "does not have the form that is expected here";
    return { ...about, message: form, hint: "docs/settings.md shows each key with an example" };
  }
  const allowed = params["allowedValues"];
  if (!Array.isArray(allowed)) return { ...about, message, hint: null };
  const given = valueAt(settings, parent);
  const near = typeof given === "string" ? nearest(given, allowed.map(String)) : undefined;
  const hint = near === undefined ? null : `did you mean \`${near}\`?`;
  return { ...about, message: `must be ${oneOf(allowed)}`, hint };
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce((at, key) => (at as { readonly [key: string]: unknown } | null)?.[key], value);
}

function suggestion(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  return near === undefined ? `known are ${known.join(", ")}` : `did you mean \`${near}\`?`;
}
