import type { Finding } from "#core/finding.ts";
import type { SecretBag } from "#core/secret.ts";
import type { Spec, User } from "#generated/provisioner/spec/v1.ts";
import { envelopeForm } from "./envelope-form.ts";
import type { Origin } from "./translation.ts";
import { readUtf8 } from "./utf8-text.ts";

/** What is said of a text that stands where a password hash belongs; the text is not in it. */
export const expectedHash = {
  message: "expected a password hash of crypt(3)",
  hint: "make one with `mkpasswd -m yescrypt`",
} as const;

/** The forms of crypt(5) that NixOS takes, and the `!` and `*` of a locked account. */
export function isPasswordHash(text: string): boolean {
  return text.length <= 512 && /^(\$[0-9a-z]+[$,][^\s:]+|[!*][^\s:]*)$/.test(text);
}

/** A user of a spec whose secret is no password hash, and what is said of it. */
interface DoubtfulHash {
  readonly user: User;
  readonly finding: Finding;
}

/**
 * Users whose `passwordHash` refers to what is none. An age envelope is passed over until it is open,
 * and so is a secret whose bytes are not given.
 */
export function findDoubtfulHashes(
  spec: Spec,
  { secrets, originOf }: HashOptions,
): readonly DoubtfulHash[] {
  return Object.entries(spec.users ?? {}).flatMap(([name, user]): DoubtfulHash[] => {
    const reference = user.passwordHash?.secretRef;
    const bytes = reference === undefined ? undefined : secrets.get(reference)?.reveal();
    if (bytes === undefined || envelopeForm(bytes) !== undefined || isHashFile(bytes)) return [];
    const path = ["users", name, "passwordHash"];
    const origin = originOf(path);
    const place = origin ?? { document: "user-data", line: null, column: null };
    const what = { level: "error", code: "spec/not-a-hash", ...expectedHash } as const;
    return [{ user, finding: { ...place, path: origin?.path ?? path.join("."), ...what } }];
  });
}

interface HashOptions {
  readonly secrets: SecretBag;
  readonly originOf: (path: readonly string[]) => Origin | undefined;
}

/** A secret that came as a file may end with a line break; NixOS takes that off. */
function isHashFile(bytes: Uint8Array): boolean {
  const { text } = readUtf8(bytes);
  return text !== undefined && isPasswordHash(text.replace(/\n$/, ""));
}
