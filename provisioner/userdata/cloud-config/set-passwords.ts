import { shownKey } from "#core/finding.ts";
import { wordHint } from "#core/word-hint.ts";
import type { FindingText, HintedText, Input } from "../input.ts";
import { getOwn } from "../own-key.ts";
import { isPasswordHash } from "../password-hash.ts";
import type { CloudConfigModule, ModuleInput } from "./module.ts";
import { addCommand, onceFunction, quoted } from "./own-command.ts";
import { readHash, warnOfWeakHash } from "./password.ts";
import { hashPlain } from "./plain-password.ts";

/** One password of the document. */
interface Wish {
  readonly name: string;
  readonly kind: "text" | "hash" | "random";
  /** Of `random` none. */
  readonly value: string;
  /** The leaf that says it. */
  readonly input: Input;
}

/** `chpasswd`, `password` and `ssh_pwauth`. */
export const setPasswords: CloudConfigModule = {
  name: "set_passwords",
  keys: ["chpasswd", "password", "ssh_pwauth"],
  rule:
    "Passwords of users that the document has, and of root; they unlock the account, as with cloud-init. Each is set once, " +
    "also of an account that is there already: what a person chooses later with `passwd` stays until the document has " +
    "another one, or the instance is another. A " +
    "password in plain text is hashed at once (SHA-512), and its hash alone becomes a secret. " +
    "`RANDOM` (in the old list also `R`) is made on the node, once per instance, shown on its " +
    "console and nowhere else; with `mutableUsers: false` it could not last, and is refused. " +
    "`password` is the default user's, where `chpasswd` has none. `expire`, true when it is " +
    "absent, has each of these users choose another one at the first login. Both are done once per instance and user. " +
    "`ssh_pwauth` says whether the ssh server accepts passwords; `unchanged` leaves that to the image. " +
    "A hash of a scheme that NixOS no longer knows (`$1$`, `$5$`) is warned of.",
  example: `users:
  - default
  - name: alice
chpasswd:
  expire: true
  users:
    - name: alice
      password: $y$j9T$exampleSalt$exampleHashExampleHashExampleHashExample
    - name: root
      type: RANDOM
ssh_pwauth: true
`,
  translate(module) {
    const wishes = lastOfEach(readWishes(module)).filter((wish) => hasUser(wish, module));
    const done = wishes
      .filter((wish) => canHold(wish, module))
      .filter((wish) => setPassword(wish, module));
    addRandom(done, module);
    expire(done, module);
    readPasswordAuthentication(module);
  },
};

function readWishes(module: ModuleInput): readonly Wish[] {
  const { config } = module;
  const input = config.get("chpasswd");
  if (input !== undefined && !input.isMapping()) {
    input.expected("a mapping with `users`", "write it as `{ users: [{ name: …, password: … }] }`");
  }
  const users = (input?.get("users")?.items() ?? []).flatMap((item) => readEntry(item));
  const list = input?.get("list");
  const lines = list === undefined ? [] : readLines(list);
  // cloud-init hands over those in plain text first
  const all = [...users, ...lines].sort((a, b) => rank(a) - rank(b));
  const password = config.get("password");
  if (password === undefined) return all;
  if (users.length + lines.length > 0) {
    const message = "`chpasswd` counts, and `password` is not used beside it";
    password.unsupported({ code: "cloud-config/overridden", message }, "note");
    return all;
  }
  return readDefault(password, module);
}

function rank({ kind }: Wish): number {
  return kind === "hash" ? 1 : 0;
}

/** An entry under `chpasswd: users`. */
function readEntry(item: Input): readonly Wish[] {
  if (!item.isMapping()) {
    item.expected("a mapping with `name` and `password`");
    return [];
  }
  const nameInput = item.get("name");
  const name = nameInput?.looseText();
  const typeInput = item.get("type");
  const type = typeInput === undefined ? "hash" : typeInput.text();
  const password = item.get("password");
  if (!["hash", "text", "RANDOM"].includes(type ?? "")) {
    if (type !== undefined) {
      typeInput?.expected(
        "`hash`, `text` or `RANDOM`",
        wordHint(type, ["hash", "text", "RANDOM"]),
        "another type",
      );
    }
    password?.looseText();
    return [];
  }
  if (nameInput === undefined) lacks(item, "name");
  if (type === "RANDOM") {
    nameBeside(password);
    if (name === undefined) return [];
    typeInput?.mark("agent");
    return [{ name, kind: "random", value: "", input: typeInput ?? item }];
  }
  if (password === undefined) lacks(item, "password");
  const value = type === "text" ? password?.looseText() : password && readHash(password, "warning");
  if (name === undefined || password === undefined || value === undefined) return [];
  return [{ name, kind: type === "text" ? "text" : "hash", value, input: password }];
}

function lacks(item: Input, key: string): void {
  item.mark("unsupported");
  item.add("error", {
    code: "user-data/wrong-type",
    message: `expected a mapping with \`${key}\``,
    hint: "write `- {name: alice, password: $y$…}`, a hash that `mkpasswd -m yescrypt` makes",
  });
}

function nameBeside(password: Input | undefined): void {
  const message = "the type is `RANDOM`: this password is not used";
  const hint = "write `type: text` or `type: hash` to have it";
  password?.unsupported({ code: "cloud-config/overridden", message, hint });
}

/** `chpasswd: list`: texts `name:password`, or one text with a line for each. */
function readLines(list: Input): readonly Wish[] {
  const items = typeof list.value === "string" ? [list] : list.items();
  return items.flatMap((item) => {
    if (item.text() === undefined) return [];
    return item.lines().flatMap((line): readonly Wish[] => {
      const text = line.scalarText();
      const at = text.indexOf(":");
      if (at > 0) return [wishOf(text.slice(0, at).trim(), text.slice(at + 1), line)];
      nameOdd(line, item === list);
      return [];
    });
  });
}

/** cloud-init goes on without any of them; here the other lines count. */
function nameOdd(item: Input, hasOthers: boolean): void {
  const text: HintedText = {
    code: "cloud-config/unknown-value",
    message: "a line `name:password` was expected, and this one has no name",
    hint: "put a colon between them",
  };
  if (hasOthers) item.add("warning", text);
  else item.unsupported(text);
}

function wishOf(name: string, value: string, input: Input): Wish {
  if (value === "R" || value === "RANDOM") return { name, kind: "random", value: "", input };
  const isHash = isPasswordHash(value) && value.startsWith("$");
  if (isHash) warnOfWeakHash(value, input);
  return { name, kind: isHash ? "hash" : "text", value, input };
}

function readDefault(input: Input, { draft }: ModuleInput): readonly Wish[] {
  const value = input.looseText();
  if (value === undefined) return [];
  if (draft.defaultUser !== undefined) return [wishOf(draft.defaultUser, value, input)];
  input.unsupported({
    code: "cloud-config/no-default-user",
    message: "this password is for nobody: `users` does not list `default`",
    hint: "add `- default` to `users`, or name the user under `chpasswd: users`",
  });
  return [];
}

/** Of several for one user the last counts. */
function lastOfEach(wishes: readonly Wish[]): readonly Wish[] {
  const last = new Map(wishes.map((wish) => [wish.name, wish]));
  for (const wish of wishes) {
    if (last.get(wish.name) === wish) continue;
    const message = "a later password of this user counts";
    const text: FindingText = {
      code: "cloud-config/overridden",
      message,
      hint: "keep one of them",
    };
    if (last.get(wish.name)?.input.whole === wish.input.whole) wish.input.add("note", text);
    else wish.input.unsupported(text, "note");
  }
  return wishes.filter((wish) => last.get(wish.name) === wish);
}

/** Whether there is such a user; a password makes none. */
function hasUser({ name, input }: Wish, { config, draft }: ModuleInput): boolean {
  const own = config.get("firstlight")?.get("users");
  if (name === "root" || getOwn(draft.spec.users ?? {}, name) !== undefined) return true;
  if (own?.has(name) === true) return true;
  const known = draft.defaultUser;
  const isFromList = input.path.at(1) === "list" && typeof input.value === "string";
  const text: HintedText = {
    code: "cloud-config/no-user",
    message: "a password is given for a user that the document does not have",
    hint:
      known === undefined
        ? "add the user to `users`"
        : `add the user to \`users\`; the default user is \`${shownKey(known)}\``,
  };
  if (isFromList) input.add("warning", text);
  else input.unsupported(text);
  return false;
}

/** Whether a password that the node makes outlives a boot: not where accounts are made anew each time. */
function canHold({ kind, input }: Wish, { config }: ModuleInput): boolean {
  const isMutable = config.get("firstlight")?.get("mutableUsers")?.value !== false;
  if (kind !== "random" || isMutable) return true;
  input.unsupported({
    code: "cloud-config/unsupported-key",
    message: "`mutableUsers: false` has each boot forget a password that the node makes",
    hint: "give the hash of a password",
  });
  return false;
}

/** Whether it is taken. */
function setPassword({ name, kind, value, input }: Wish, module: ModuleInput): boolean {
  const { draft } = module;
  const hash = kind === "text" ? hashPlain(value, input, { name, ...module }) : value;
  if (hash === undefined) return false;
  const user = draft.user(name);
  user.locked = false;
  if (kind === "random") delete user.passwordHash;
  else user.passwordHash = draft.secret(`user-${name}-password`, hash);
  draft.origin(["users", name, "passwordHash"], input);
  return true;
}

/** Characters that nobody mistakes for another; 20 of 54 are 115 bits. */
const makeRandom = `code=0
[ -w /dev/console ] || { echo "no console to show the passwords on; none is made" >&2; exit 1; }
make() { # user
  password=$(LC_ALL=C tr -dc 'a-km-zA-HJ-NP-Z2-9' < /dev/urandom | head -c 20)
  printf '%s:%s\\n' "$1" "$password" | chpasswd &&
    printf 'firstlight made a password, and shows it here only: %s:%s\\n' "$1" "$password" >> /dev/console
}`;

function addRandom(wishes: readonly Wish[], { draft, context }: ModuleInput): void {
  const random = wishes.filter(({ kind }) => kind === "random");
  const [first] = random;
  if (first === undefined) return;
  for (const { input } of random) input.mark("agent");
  const calls = random.map(({ name }) => {
    return `once ${quoted(`random-${name}`)} make ${quoted(name)} || code=1`;
  });
  const lines = [onceFunction(context), makeRandom, ...calls, "exit $code"];
  addCommand(draft, { name: "random-passwords", when: "early", lines, at: first.input });
}

/** `chpasswd: expire`, true when it is absent. */
function expire(wishes: readonly Wish[], { config, draft, context }: ModuleInput): void {
  const input = config.get("chpasswd")?.get("expire");
  const wanted = input?.boolean() ?? true;
  const [first] = wishes;
  if (first === undefined && !hasPasswords(config)) {
    const message = "no password is set here, so that none expires";
    const hint = "name users and their passwords under `chpasswd: users`, or remove it";
    const level = typeof input?.value === "boolean" ? "note" : "warning";
    input?.unsupported({ code: "cloud-config/no-meaning", message, hint }, level);
  }
  if (first === undefined || !wanted) return;
  input?.mark("agent");
  const calls = wishes.map(({ name }) => {
    return `once ${quoted(`expire-${name}`)} chage -d 0 ${quoted(name)} || code=1`;
  });
  const lines = [onceFunction(context), "code=0", ...calls, "exit $code"];
  addCommand(draft, { name: "expire-passwords", when: "early", lines, at: input ?? first.input });
}

/** Whether the document has passwords, be they right or wrong. */
function hasPasswords(config: Input): boolean {
  const inner = config.get("chpasswd");
  return config.has("password") || inner?.has("users") === true || inner?.has("list") === true;
}

function readPasswordAuthentication({ config, draft }: ModuleInput): void {
  const input = config.get("ssh_pwauth");
  if (input === undefined) return;
  if (String(input.value).toLowerCase() === "unchanged") return input.mark("translated");
  const passwordAuthentication = input.boolean();
  if (passwordAuthentication === undefined) return;
  draft.spec.sshd = { ...draft.spec.sshd, passwordAuthentication };
  draft.origin(["sshd", "passwordAuthentication"], input);
}
