import { Fault } from "#core/fault.ts";
import { Secret } from "#core/secret.ts";
import { type KeyPair, readKeyPair } from "#protocol/trust/sign/key-pair.ts";

/** Whom the private half of a key is sealed to. */
export type Sealing =
  | {
      readonly passphrase: Secret<string> /** scrypt's work, as a power of two. */;
      readonly workFactor?: number;
    }
  | { readonly recipients: readonly string[] };

/** What may open it. */
export interface Unlocking {
  readonly passphrase?: Secret<string> | undefined;
  /** Secret keys of age. */
  readonly identities?: readonly Secret<string>[];
}

/** The private half of a key as armoured age file. Throws `cli/usage` of a recipient that is none. */
export async function sealKey(pair: KeyPair, sealing: Sealing): Promise<string> {
  const { armor, Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  if ("passphrase" in sealing) {
    encrypter.setPassphrase(sealing.passphrase.reveal());
    if (sealing.workFactor !== undefined) encrypter.setScryptWorkFactor(sealing.workFactor);
  } else {
    for (const recipient of sealing.recipients) {
      try {
        encrypter.addRecipient(recipient);
      } catch (cause) {
        throw new Fault("cli/usage", `${JSON.stringify(recipient)} is no recipient of age`, {
          cause,
        });
      }
    }
  }
  return armor.encode(await encrypter.encrypt(pair.secret().reveal()));
}

/** Whether an age file asks for a passphrase, by its header. */
export async function wantsPassphrase(sealed: string): Promise<boolean> {
  const { armor } = await import("age-encryption");
  try {
    const head = Buffer.from(armor.decode(sealed)).toString("latin1");
    return /^age-encryption\.org\/v1\n-> scrypt /.test(head);
  } catch {
    return false;
  }
}

/** Opens what {@link sealKey} made; `name` is for messages. Throws `signing/key-locked`. */
export async function openKey(
  name: string,
  sealed: string,
  unlocking: Unlocking,
): Promise<KeyPair> {
  const { armor, Decrypter } = await import("age-encryption");
  const decrypter = new Decrypter();
  const { passphrase, identities = [] } = unlocking;
  if (passphrase !== undefined) decrypter.addPassphrase(passphrase.reveal());
  let pem: string;
  try {
    for (const identity of identities) decrypter.addIdentity(identity.reveal());
    pem = await decrypter.decrypt(armor.decode(sealed), "text");
  } catch (error) {
    // What the library says of a wrong key holds no secret, and of a damaged file where it is.
    const said = error instanceof Error ? error.message : String(error);
    throw new Fault("signing/key-locked", `${name}: the age file does not open: ${said}`);
  }
  return readKeyPair(new Secret(pem));
}
