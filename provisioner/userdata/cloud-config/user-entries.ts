import type { Input } from "../input.ts";
import type { ModuleInput } from "./module.ts";

/** Everything that a document says of one user. */
export interface UserEntry {
  readonly name: string;
  /** The default user, which has rights of its own. */
  readonly isDefault: boolean;
  /** Mappings with keys of the user; of each key the first one counts. */
  readonly layers: readonly Input[];
  /** What names the user; absent where nothing but the defaults of cloud-config does. */
  readonly at: Input | undefined;
}

interface Named {
  readonly name: string;
  readonly at: Input;
  readonly layer: Input | undefined;
}

const defaultName = "default";

const forgottenDash = "begin the user with `- `, and indent its other keys as far as `name`";

/**
 * The users of a document as cloud-init's `normalize_users_groups` finds them: several entries for a
 * name are one user, `default` stands for the default user, which is there unless `users` leaves it
 * out and there is no `user` either.
 */
export function readUserEntries({ config, context }: ModuleInput): readonly UserEntry[] {
  const list = config.get("users");
  const changes = readChanges(config.get("user"));
  const named = list === undefined ? [] : readList(list);
  const byName = Map.groupBy(named, ({ name }) => name);
  const users: UserEntry[] = [];
  if (list === undefined || changes !== undefined || byName.has(defaultName)) {
    const name = changes?.name ?? context.defaultUser;
    const own = [...(byName.get(name) ?? []), ...(byName.get(defaultName) ?? [])];
    byName.delete(name);
    byName.delete(defaultName);
    users.push({
      name,
      isDefault: true,
      layers: [...layersOf(own), ...(changes?.layer === undefined ? [] : [changes.layer])],
      at: own[0]?.at ?? changes?.at,
    });
  }
  for (const [name, entries] of byName) {
    users.push({ name, isDefault: false, layers: layersOf(entries), at: entries[0]?.at });
  }
  return users;
}

function layersOf(entries: readonly Named[]): readonly Input[] {
  return entries.map(({ layer }) => layer).filter((layer) => layer !== undefined);
}

/** `user`: the name of the default user, or a mapping that changes it; nothing at all changes nothing. */
function readChanges(
  input: Input | undefined,
):
  | { readonly name: string | undefined; readonly layer: Input | undefined; readonly at: Input }
  | undefined {
  if (input === undefined) return undefined;
  if (input.isMapping()) {
    const name = input.get("name")?.looseText();
    if (input.entries().length > 0) return { name, layer: input, at: input };
  }
  if (input.isMapping()) {
    input.mark("translated");
    return undefined;
  }
  const name = input.looseText();
  return name === undefined ? undefined : { name, layer: undefined, at: input };
}

/** A list of names and mappings, one text with commas, or a mapping by name. */
function readList(list: Input): readonly Named[] {
  if (typeof list.get("name")?.value === "string") {
    list.expected("a list of users", forgottenDash, "a mapping with the keys of one user");
    return [];
  }
  if (list.isMapping()) return list.entries().flatMap(([name, input]) => readMember(name, input));
  const items = typeof list.value === "string" ? [list] : list.items();
  return items.flatMap((input): readonly Named[] => {
    if (!input.isMapping()) {
      return input.names().map(([name, at]) => ({ name, at, layer: undefined }));
    }
    const snap = input.get("snapuser");
    const nameInput = input.get("name");
    if (nameInput === undefined && snap !== undefined) {
      input.unsupported({
        code: "cloud-config/unsupported-key",
        message: "NixOS has no snap, so it has no snap users",
        hint: "give the user a `name` and its keys",
      });
      return [];
    }
    if (nameInput === undefined) {
      input.add("warning", {
        code: "cloud-config/no-name",
        message: "this entry has no `name`, so it is about the default user",
        hint: isNamedByKey(input)
          ? "the name of a user stands as a key here: write it behind `name`, and the user's keys beside it"
          : "add `name: default`, or the name of the user that is meant",
      });
      return [{ name: defaultName, at: input, layer: input }];
    }
    const name = nameInput.looseText();
    return name === undefined ? [] : [{ name, at: nameInput, layer: input }];
  });
}

/** `bob: { … }` as an item of the list, where only `users` as a mapping has names for keys. */
function isNamedByKey(input: Input): boolean {
  const entries = input.entries();
  return entries.length === 1 && entries.every(([, inner]) => inner.isMapping());
}

/** One member of `users` as a mapping: a mapping of the user's keys, or whether the user is wanted. */
function readMember(name: string, input: Input): readonly Named[] {
  if (input.isMapping()) {
    input.get("name")?.mark("translated");
    return [{ name, at: input, layer: input }];
  }
  return input.boolean() === true ? [{ name, at: input, layer: undefined }] : [];
}
