import type { FindingLevel } from "#core/finding.ts";
import type { User } from "#generated/provisioner/spec/v1.ts";
import type { Input } from "../input.ts";
import { expectedHash, isPasswordHash } from "../password-hash.ts";
import type { ModuleInput } from "./module.ts";
import { hashPlain } from "./plain-password.ts";
import type { UserLayers } from "./user-layers.ts";

/** In the order in which they count; each is what cloud-init does last. */
const keys = ["hashed_passwd", "plain_text_passwd", "passwd"] as const;

/**
 * `lock_passwd` (true when absent), `hashed_passwd`, `plain_text_passwd` and `passwd`. Only a hash
 * becomes a secret: a password in plain text is hashed at once.
 */
export function readPassword(
  name: string,
  user: User,
  layers: UserLayers,
  module: ModuleInput,
): void {
  const { draft } = module;
  const lockInput = layers.get("lock_passwd");
  user.locked = lockInput?.boolean() ?? true;
  if (lockInput !== undefined) draft.origin(["users", name, "locked"], lockInput);
  const given = keys.flatMap((key) => {
    const input = layers.get(key);
    return input === undefined ? [] : [{ key, input }];
  });
  const [first, ...others] = given;
  if (first === undefined) return;
  for (const { input } of others) {
    const message = `\`${first.key}\` of this user counts`;
    input.unsupported({ code: "cloud-config/overridden", message }, "note");
  }
  const { key, input } = first;
  const hash = key === "plain_text_passwd" ? hashOf(name, input, module) : readHash(input);
  if (hash === undefined) return;
  user.passwordHash = draft.secret(`user-${name}-password`, hash);
  draft.origin(["users", name, "passwordHash"], input);
  if (!user.locked || lockInput !== undefined) return;
  input.add("note", {
    code: "cloud-config/locked",
    message: "the account stays locked for passwords: `lock_passwd` is true when it is absent",
    hint: "add `lock_passwd: false` to let the password count",
  });
}

function hashOf(name: string, input: Input, module: ModuleInput): string | undefined {
  const password = input.looseText();
  return password === undefined ? undefined : hashPlain(password, input, { name, ...module });
}

/** A hash of crypt(3); anything else is an error, or named at another level. */
export function readHash(input: Input, level: FindingLevel = "error"): string | undefined {
  const hash = input.text();
  if (hash === undefined) return undefined;
  if (isPasswordHash(hash)) {
    warnOfWeakHash(hash, input);
    return hash;
  }
  input.mark("unsupported");
  input.add(level, { code: "cloud-config/not-a-hash", ...expectedHash });
  return undefined;
}

/** NixOS builds libxcrypt with these schemes alone (`enabledCryptSchemeIds`). */
export function warnOfWeakHash(hash: string, input: Input): void {
  if (!hash.startsWith("$") || /^\$(y|gy|7|2b|2y|2a|6)\$/.test(hash)) return;
  input.add("warning", {
    code: "cloud-config/weak-hash",
    message: "NixOS knows the scheme of this hash no more, and nobody can log in with it",
    hint: "make another with `mkpasswd -m yescrypt`",
  });
}
