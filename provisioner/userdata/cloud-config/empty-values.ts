import type { Json } from "#core/canonical-json.ts";
import type { FindingLevel } from "#core/finding.ts";
import type { Input, PathPart } from "../input.ts";
import { fitsPath, type PathPattern } from "../path-pattern.ts";

/** What an empty value counts as, where cloud-init takes it for something else than an absent key. */
interface Meaning {
  readonly at: PathPattern;
  /** The one of both empty values that is meant; without it both. */
  readonly only?: null | "";
  /** `undefined` for one that is passed over all the same. */
  readonly as: Json | undefined;
  /** Nothing where the value is in its place as it is. */
  readonly says?: string;
  readonly level?: FindingLevel;
}

const isFalse = "there is no value; as with cloud-init it counts as `false`";
const noRules = "there is no value; as with cloud-init the user has no rules of this kind";
const noMembers = "the group has no members";

const meanings: readonly Meaning[] = [
  {
    at: ["ntp"],
    only: null,
    as: {},
    says: "the section is empty, which switches time synchronisation on, as with cloud-init",
    level: "note",
  },
  {
    at: ["users"],
    as: [],
    says: "there is no value; as with cloud-init this lists nobody, not even the default user",
  },
  { at: ["disable_root"], as: false, says: isFalse },
  { at: ["allow_public_ssh_keys"], as: false, says: isFalse },
  ...[["user"], ["users", "*"]].flatMap((user) => [
    { at: [...user, "lock_passwd"], as: false, says: isFalse },
    { at: [...user, "sudo"], as: false, says: noRules },
    { at: [...user, "doas"], as: false, says: noRules },
    { at: [...user, "groups", "*"], as: true },
  ]),
  {
    at: ["user", "groups"],
    as: [],
    says: "there is no value; as with cloud-init the default user is in no group",
  },
  { at: ["groups", "#", "*"], as: [], says: noMembers },
  { at: ["packages", "#", "#"], as: "", says: "there is no version; it counts as none" },
  {
    at: ["packages", "#", "apt", "#", "#"],
    as: "",
    says: "there is no version; it counts as none",
  },
  { at: ["write_files", "#", "content"], only: "", as: "" },
  { at: ["mounts", "#", "#"], only: null, as: null },
  {
    at: ["mounts", "#", "#"],
    only: "",
    as: null,
    says: "there is no value; the field has its default",
  },
  { at: ["mount_default_fields", "#"], as: null },
  ...["bootcmd", "runcmd"].flatMap((key): readonly Meaning[] => [
    {
      at: [key, "#"],
      as: undefined,
      says: "there is no command here; the entry is passed over, as by cloud-init",
      level: "note",
    },
    { at: [key, "#", "#"], only: "", as: "" },
    {
      at: [key, "#", "#"],
      only: null,
      as: "None",
      says: "there is no value; as with cloud-init the word is `None`",
    },
  ]),
];

/** Keys without which an entry of a list is about nothing: it is left out as a whole. */
const needed: readonly PathPattern[] = [
  ["users", "#", "name"],
  ["chpasswd", "users", "#", "name"],
  ["chpasswd", "users", "#", "password"],
  ["write_files", "#", "path"],
  ["fs_setup", "#", "device"],
  ["rsyslog", "configs", "#", "content"],
  ["wireguard", "interfaces"],
  ["wireguard", "interfaces", "#", "name"],
  ["wireguard", "interfaces", "#", "content"],
  ["ansible", "pull", "#", "url"],
  ["ansible", "galaxy", "actions"],
  ["ansible", "setup_controller", "repositories", "#", "source"],
  ["ansible", "setup_controller", "repositories", "#", "path"],
  ["ansible", "setup_controller", "run_ansible", "#", "playbook_name"],
  ["drivers", "nvidia", "license-accepted"],
];

/**
 * Settles what stands under `keys` and says nothing: null, and the empty text, as templates leave it
 * for a value that they do not have. It counts as if the key, or the entry of a list, were not there,
 * with a warning; where cloud-init takes it for something, that counts and the finding says so. It is
 * never an error: cloud-init boots with such a document.
 */
export function settleEmptyValues(config: Input, keys: ReadonlySet<string>): void {
  for (const [key, input] of config.entries()) if (keys.has(key)) settle(input);
  const own = config.get("firstlight");
  if (own !== undefined && isEmpty(own)) settle(own); // what stands in it is not cloud-config
}

function settle(input: Input): void {
  if (isEmpty(input)) return settleEmpty(input);
  const inner = input.parts();
  const missing = inner.find((part) => isEmpty(part) && isNeeded(part));
  if (missing !== undefined) return leaveOut(input, String(missing.path.at(-1)));
  for (const part of inner) settle(part);
}

function settleEmpty(input: Input): void {
  const { value } = input;
  const path = readPath(input);
  const meaning = meaningOf(path, value);
  input.mark("translated");
  input.countAs(meaning?.as);
  if (meaning !== undefined && meaning.says === undefined) return;
  const what = typeof path.at(-1) === "number" ? "the entry" : "the key";
  input.add(meaning?.level ?? "warning", {
    code: "user-data/no-value",
    message: meaning?.says ?? `there is no value; ${what} counts as absent`,
    hint: `remove ${what}, or give it a value`,
  });
}

function meaningOf(path: readonly PathPart[], value: Json): Meaning | undefined {
  const isGroup = path.length === 2 && path[0] === "groups" && typeof path[1] === "string";
  if (isGroup) return { at: [], as: [], says: noMembers };
  return meanings.find(({ at, only }) => {
    return (only === undefined || only === value) && fitsPath(at, path);
  });
}

function leaveOut(entry: Input, key: string): void {
  entry.unsupported({
    code: "user-data/no-value",
    message: `\`${key}\` of this entry has no value; the entry is left out`,
    hint: `give it a ${key}, or remove the entry`,
  });
  entry.countAs(undefined);
}

function isNeeded(input: Input): boolean {
  return needed.some((pattern) => fitsPath(pattern, input.path));
}

function isEmpty({ value }: Input): boolean {
  return value === null || value === "";
}

/** The path as a user's keys are read: `-` in a key is `_`. */
function readPath({ path }: Input): readonly PathPart[] {
  return path.map((part) => (typeof part === "string" ? part.replaceAll("-", "_").trim() : part));
}
