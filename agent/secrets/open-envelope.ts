import type { KeyObject, webcrypto } from "node:crypto";
import { armor, Decrypter, type Identity, identityToRecipient } from "age-encryption";
import { formatBytes } from "#core/bytes.ts";
import { Fault, isFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import { envelopeForm } from "#provisioner/userdata/envelope-form.ts";
import { findCredentials } from "../datasources/credentials/find-credentials.ts";
import { identityName } from "../datasources/credentials/names.ts";
import { readCredential } from "../datasources/credentials/read-credential.ts";
import { readIdentity } from "./node-identity.ts";
import { readHostKey } from "./ssh-host-key.ts";
import { sshIdentity, x25519Of } from "./ssh-identity.ts";

const maxBytes = 16 * 1024 * 1024;

type Stanzas = Parameters<Identity["unwrapFileKey"]>[0];

/** See {@link import("./envelope-opener.ts").OpenEnvelope}. */
export async function openEnvelope(io: Io, sealed: Uint8Array): Promise<Uint8Array> {
  if (sealed.length > maxBytes) {
    const message = `the envelope has ${formatBytes(sealed.length)}, at most ${formatBytes(maxBytes)} are opened`;
    throw new Fault("secret/too-large", message);
  }
  const { own, problem } = await ownKey(io);
  const hostKey = readHostKey(io.files);
  const decrypter = new Decrypter();
  if (own !== undefined) decrypter.addIdentity(await cryptoKeyOf(own));
  if (hostKey !== undefined) {
    decrypter.addIdentity(sshIdentity(hostKey));
    decrypter.addIdentity(await cryptoKeyOf(x25519Of(hostKey)));
  }
  const given = await givenIdentities(io);
  for (const identity of given) decrypter.addIdentity(identity);
  // Asked last: only where no key before it fits.
  let strangers: Stanzas | undefined;
  decrypter.addIdentity({
    unwrapFileKey(stanzas: Stanzas) {
      strangers = stanzas;
      return null;
    },
  });
  try {
    return await decrypter.decrypt(bytesOf(sealed));
  } catch (cause) {
    if (strangers === undefined) throw damaged(cause);
    throw problem ?? (await foreign(strangers, { own, hasHostKey: hostKey !== undefined, given }));
  }
}

/** The public half of the node's key, as `age -r` takes it. */
export async function recipientOf(key: KeyObject): Promise<string> {
  return identityToRecipient(await cryptoKeyOf(key));
}

/** A key of its own that cannot be read does not keep the host key from opening an envelope. */
async function ownKey(
  io: Io,
): Promise<{ readonly own?: KeyObject | undefined; readonly problem?: Fault }> {
  try {
    return { own: await readIdentity(io) };
  } catch (error) {
    if (!isFault(error)) throw error;
    return { problem: error };
  }
}

function cryptoKeyOf(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const der = key.export({ type: "pkcs8", format: "der" });
  return crypto.subtle.importKey("pkcs8", der, { name: "X25519" }, false, ["deriveBits"]);
}

function bytesOf(sealed: Uint8Array): Uint8Array {
  if (envelopeForm(sealed) !== "armour") return sealed;
  return armor.decode(Buffer.from(sealed).toString("latin1"));
}

function damaged(cause: unknown): Fault {
  const said = cause instanceof Error ? cause.message : String(cause);
  return new Fault("secret/envelope-damaged", `the age envelope is damaged: ${said}`, {
    cause,
    hint: "seal it again with age and put it in whole; in YAML as a block (`|`) with every line of it, from BEGIN to END",
  });
}

/** Keys that come as a credential. Throws `secret/decrypt-failed`, `secret/identity-unreadable`. */
async function givenIdentities(io: Io): Promise<readonly string[]> {
  const credential = findCredentials(io).byName.get(identityName);
  if (credential === undefined) return [];
  const text = Buffer.from(await readCredential(io, credential)).toString("utf8");
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "" && !line.startsWith("#"));
  for (const [index, line] of lines.entries()) {
    await identityToRecipient(line.trim()).catch(() => {
      const message = `credential ${identityName}: key ${index + 1} of ${lines.length} is none of age's`;
      throw new Fault("secret/identity-unreadable", message);
    });
  }
  return lines.map((line) => line.trim());
}

/** The keys that this node has. */
interface Keys {
  readonly own: KeyObject | undefined;
  readonly hasHostKey: boolean;
  readonly given: readonly string[];
}

async function foreign(stanzas: Stanzas, { own, hasHostKey, given }: Keys): Promise<Fault> {
  const types = new Set(stanzas.map(({ args }) => args[0] ?? ""));
  if (types.has("scrypt")) {
    const message = "the envelope is sealed with a passphrase, and nobody is here to give it";
    const hint =
      "seal it again to what `firstlight identity` prints on this node (`age -r`, not `age -p`)";
    return new Fault("secret/envelope-foreign", message, { hint });
  }
  const keys = [
    ...(own === undefined ? [] : [await recipientOf(own)]),
    ...(hasHostKey ? ["its ssh host key"] : []),
    ...(await Promise.all(given.map((identity) => identityToRecipient(identity)))),
  ];
  const here =
    keys.length === 0 ? "this node has no key yet" : `this node has ${keys.join(" and ")}`;
  const shown = [...types]
    .map((type) => type.slice(0, 40))
    .sort()
    .join(", ");
  const count = `${stanzas.length} ${stanzas.length === 1 ? "recipient" : "recipients"}`;
  const message = `the envelope is sealed to ${count} (${shown}), none of them this node: ${here}`;
  const hint = `seal it again to what \`firstlight identity\` prints on this node (\`age -r\`), or give the node a key that fits as the credential ${identityName}`;
  return new Fault("secret/envelope-foreign", message, { hint });
}
