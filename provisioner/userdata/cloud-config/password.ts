import type { User } from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "../draft.ts";
import { expectedHash, isPasswordHash } from "../password-hash.ts";
import type { UserLayers } from "./user-layers.ts";

/**
 * `lock_passwd` (true when absent), `hashed_passwd` and `passwd`. The hash becomes a secret; a
 * password in plain text is not taken, because only its hash may travel.
 */
export function readPassword(name: string, user: User, layers: UserLayers, draft: SpecDraft): void {
  const lockInput = layers.get("lock_passwd");
  user.locked = lockInput?.boolean() ?? true;
  if (lockInput !== undefined) draft.origin(["users", name, "locked"], lockInput);
  layers.get("plain_text_passwd")?.unsupported({
    code: "cloud-config/plain-password",
    message: "a password in plain text is not taken",
    hint: "make a hash with `mkpasswd -m yescrypt` and give it as `hashed_passwd`",
  });
  const hashed = layers.get("hashed_passwd");
  const passwd = layers.get("passwd");
  if (hashed !== undefined) {
    passwd?.unsupported(
      { code: "cloud-config/overridden", message: "`hashed_passwd` of this user counts" },
      "note",
    );
  }
  const input = hashed ?? passwd;
  const hash = input?.text();
  if (input === undefined || hash === undefined) return;
  if (!isPasswordHash(hash)) {
    input.mark("unsupported");
    return input.add("error", { code: "cloud-config/not-a-hash", ...expectedHash });
  }
  user.passwordHash = draft.secret(`user-${name}-password`, hash);
  draft.origin(["users", name, "passwordHash"], input);
  if (!user.locked || lockInput !== undefined) return;
  input.add("note", {
    code: "cloud-config/locked",
    message: "the account stays locked for passwords: `lock_passwd` is true when it is absent",
    hint: "add `lock_passwd: false` to let the password count",
  });
}
