import { createHash } from "node:crypto";
import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import { maxPasswordBytes, saltOf, sha512Crypt } from "../sha512-crypt.ts";
import type { TranslationContext } from "../translation.ts";

/** Each takes some hundredths of a second. */
const most = 100;

/** Whose password it is, and where its hash goes. */
interface Owner {
  readonly name: string;
  readonly draft: SpecDraft;
  readonly context: TranslationContext;
}

/**
 * The hash of a password in plain text. The salt is of the instance and the user, so that the same
 * document has the same hash at every boot, and no two machines or users share one. `undefined`, with
 * a finding, for what crypt(3) does not take.
 */
export function hashPlain(
  password: string,
  input: Input,
  { name, draft, context }: Owner,
): string | undefined {
  const bytes = Buffer.from(password, "utf8");
  if (bytes.length > maxPasswordBytes || /[\0\r\n]/.test(password)) {
    return refuse(input, `expected a password of one line and at most ${maxPasswordBytes} bytes`);
  }
  draft.plainPasswords += 1;
  if (draft.plainPasswords > most) {
    return refuse(input, `of one document at most ${most} passwords are hashed`);
  }
  const seed = `firstlight password salt\0${context.instanceId ?? ""}\0${name}`;
  return sha512Crypt(bytes, saltOf(createHash("sha512").update(seed).digest()));
}

function refuse(input: Input, message: string): undefined {
  input.mark("unsupported");
  const hint = "make a hash with `mkpasswd -m yescrypt` and give that";
  input.add("error", { code: "cloud-config/plain-password", message, hint });
}
