import { posix } from "node:path";
import { canonicalJson, type Json } from "#core/canonical-json.ts";
import { isSecretRef } from "#core/secret.ts";
import { nameDoubtful } from "./cloud-config/authorized-keys.ts";
import type { SpecDraft } from "./draft.ts";
import type { Input, PathPart } from "./input.ts";
import { getOwn, setOwn } from "./own-key.ts";
import { fitsPath } from "./path-pattern.ts";

type Mutable = { [key: string]: MutableJson };
type MutableJson = Json | MutableJson[] | Mutable;
type Path = readonly PathPart[];

/** A place of the spec that holds a secret, `*` for any key or index, and how the secret is named. */
interface SecretPlace {
  readonly path: readonly string[];
  readonly name: (path: Path) => string;
}

const secretPlaces: readonly SecretPlace[] = [
  { path: ["users", "*", "passwordHash"], name: ([, user]) => `user-${user}-password` },
  { path: ["files", "*", "secret"], name: ([, index]) => `file-${index}` },
  { path: ["commands", "*", "script"], name: ([, index]) => `command-${index}` },
  { path: ["commands", "*", "starter"], name: ([, index]) => `command-${index}-starter` },
  { path: ["hooks", "*", "script"], name: ([, index]) => `hook-${index}` },
  { path: ["networkSecrets", "*", "secret"], name: ([, file]) => `network-${file}` },
  { path: ["initrdSecrets", "*"], name: ([, file]) => `initrd${file}` },
  { path: ["report", "mqtt", "password"], name: () => "mqtt-password" },
  {
    path: ["network", "tunnels", "*", "privateKey"],
    name: ([, , tunnel]) => `network-${tunnel}-private-key`,
  },
  {
    path: ["network", "tunnels", "*", "peers", "*", "presharedKey"],
    name: ([, , tunnel, , peer]) => `network-${tunnel}-peer-${peer}`,
  },
  {
    path: ["network", "wifis", "*", "accessPoints", "*", "password"],
    name: ([, , wifi, , ssid]) => `network-${wifi}-${ssid}`,
  },
];

/** Names that a document gives to secrets of its own, in the part of it that is a spec. */
export function namesOfSecrets(part: Input | undefined): readonly string[] {
  return (
    part
      ?.get("secrets")
      ?.entries()
      .map(([name]) => name) ?? []
  );
}

/**
 * Takes a hand-written part of a spec into the draft: mappings are merged, lists are added to,
 * everything else replaces, but what user-data says is not for vendor-data to replace. Plain text where the spec wants a secret goes to the secrets at once,
 * and so does the content of a file that not everybody may read. Nothing is checked here but that;
 * the schema checks the whole afterwards.
 */
export function fillFromFirstlight(input: Input, draft: SpecDraft): void {
  if (input.value === null) return input.mark("translated");
  if (!input.isMapping()) return input.expected("a mapping of the spec's keys");
  input.mark("translated");
  const filling = { draft, ofVendor: draft.pathsOfVendor() };
  mergeInto(draft.spec as unknown as Mutable, input, { path: [], ...filling });
}

interface Place {
  readonly path: Path;
  readonly draft: SpecDraft;
  /** Paths of the spec that vendor-data alone had a word on before. */
  readonly ofVendor: ReadonlySet<string>;
}

function mergeInto(target: Mutable, input: Input, { path, draft, ofVendor }: Place): void {
  for (const [key, child] of input.entries()) {
    const childPath = [...path, key];
    const present = getOwn(target, key);
    const isSecret = secretPlace(childPath) !== undefined || fitsPath(["secrets", "*"], childPath);
    // what user-data says counts more than vendor-data; entries of the spec's own lists stand for themselves
    const isVendors = ofVendor.has(childPath.join("."));
    const isLess = draft.isVendors(child) && !isVendors && present !== undefined;
    const isMore = !draft.isVendors(child) && isVendors && path.length > 0;
    if (!isSecret && child.isMapping() && isMapping(present)) {
      mergeInto(present, child, { path: childPath, draft, ofVendor });
    } else if (
      child.isList() &&
      Array.isArray(present) &&
      !isMore &&
      !(isLess && path.length > 0)
    ) {
      append(present, child, childPath, draft);
    } else if (isLess) {
      const message = "user-data says this otherwise, and that counts";
      const hint = "leave it out of vendor-data, or of user-data";
      child.unsupported({ code: "cloud-config/overridden", message, hint });
    } else {
      setOwn(target, key, take(child, childPath, draft));
    }
  }
}

/**
 * Adds items to a list; a text or number that is there already is not added again, and a file of
 * vendor-data takes the place of none that is there.
 */
function append(target: MutableJson[], input: Input, path: Path, draft: SpecDraft): void {
  const known = new Set(target);
  const files = path.length === 1 && path[0] === "files" ? target.filter(isMapping) : [];
  const written = new Set(files.map((file) => plainPath(getOwn(file, "path"))));
  for (const item of input.items()) {
    const place = item.isMapping() ? item.get("path")?.value : undefined;
    if (draft.isVendors(item) && place !== undefined && written.has(plainPath(place))) {
      item.unsupported({
        code: "cloud-config/overridden",
        message: "this file is written by user-data, or by what comes before, and that counts",
        hint: "leave it out of vendor-data, or of user-data",
      });
      continue;
    }
    const value = take(item, [...path, target.length], draft);
    if (!known.has(value)) target.push(value);
  }
}

function plainPath(path: unknown): unknown {
  return typeof path === "string" ? posix.normalize(path) : path;
}

/** A copy of the value with its secrets taken out, and the place of each part noted. */
function take(input: Input, path: Path, draft: SpecDraft): MutableJson {
  draft.origin(path, input);
  if (fitsPath(["secrets", "*"], path)) return takeNamed(input, String(path.at(-1)), draft);
  const place = secretPlace(path);
  if (place !== undefined) return takeSecret(input, place.name(path), draft);
  if (input.isList()) {
    return input.items().map((item, index) => take(item, [...path, index], draft));
  }
  if (fitsPath(["users", "*", "authorizedKeys", "*"], path) && typeof input.value === "string")
    nameDoubtful("spec/not-a-key", [input]);
  if (!input.isMapping()) return input.value;
  const copy: Mutable = {};
  for (const [key, child] of input.entries()) {
    setOwn(copy, key, take(child, [...path, key], draft));
  }
  if (fitsPath(["files", "*"], path)) hideContent(copy, path, draft);
  return copy;
}

function takeSecret(input: Input, name: string, draft: SpecDraft): MutableJson {
  const { value } = input;
  if (isSecretRef(value) && input.entries().length === 1) return { secretRef: value.secretRef };
  return { ...draft.secret(name, secretText(input)) };
}

/** A secret under `secrets`, as its document calls it. */
function takeNamed(input: Input, name: string, draft: SpecDraft): MutableJson {
  const bytes = input.binary();
  if (bytes !== undefined) input.mark("translated");
  const { document } = input.origin();
  const { secretRef, other } = draft.namedSecret(name, bytes ?? secretText(input), document);
  if (other === "counts") {
    const message = "a secret of this name is given beside the spec, and counts";
    input.add("warning", { code: "spec/secret-twice", message, hint: "remove one of them" }, "key");
  }
  if (other === "refused") {
    const message = "a secret of this name, which nobody signed, is given beside the signed text";
    const hint = "take it away there, or leave the name out of the signed text";
    input.add("error", { code: "spec/secret-not-signed", message, hint }, "key");
  }
  return { secretRef };
}

/** Whatever stands where a secret belongs is kept secret, also when it is of the wrong kind. */
function secretText(input: Input): string {
  if (input.value === null) input.expected("text");
  const text = input.value === null ? undefined : input.looseText();
  return text ?? canonicalJson(input.value);
}

/**
 * `content` of a file becomes a secret unless its mode lets everybody read it, whatever its author
 * called it; so does text with NUL, which nothing but a credential can carry.
 */
function hideContent(file: Mutable, path: Path, draft: SpecDraft): void {
  const { content, mode = "0644" } = file;
  if (typeof content !== "string" || file["secret"] !== undefined) return;
  const readable = typeof mode === "string" && /^[0-7]{2,3}[4-7]$/.test(mode);
  if (readable && !content.includes("\0")) return;
  delete file["content"];
  file["secret"] = { ...draft.secret(`file-${path.at(-1)}`, content) };
}

function secretPlace(path: Path): SecretPlace | undefined {
  return secretPlaces.find((candidate) => fitsPath(candidate.path, path));
}

function isMapping(value: MutableJson | undefined): value is Mutable {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
