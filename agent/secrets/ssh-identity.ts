import { createDecipheriv, createHash, hkdfSync, type KeyObject } from "node:crypto";
import type { Identity } from "age-encryption";
import type { SshHostKey } from "./ssh-host-key.ts";
import { privateKeyOf, publicBytesOf, x25519, x25519Bytes } from "./x25519.ts";

const type = "ssh-ed25519";
const label = "age-encryption.org/v1/ssh-ed25519";
const fileKeyBytes = 16;
const tagBytes = 16;

/**
 * The X25519 key that goes with an Ed25519 key of ssh: what `ssh-to-age` makes of it, and users of
 * sops-nix seal to (RFC 7748, section 4.1; RFC 8032, section 5.1.5).
 */
export function x25519Of({ seed }: Pick<SshHostKey, "seed">): KeyObject {
  return privateKeyOf(createHash("sha512").update(seed).digest().subarray(0, x25519Bytes));
}

/**
 * An Ed25519 host key as an identity of age, for envelopes with a stanza `ssh-ed25519`
 * (https://github.com/C2SP/C2SP/blob/main/age.md, `agessh` of age): its X25519 key is bound to the ssh
 * key by a tweak.
 */
export function sshIdentity({ seed, publicKey }: SshHostKey): Identity {
  const privateKey = x25519Of({ seed });
  const point = publicBytesOf(privateKey);
  const fingerprint = base64(createHash("sha256").update(publicKey).digest().subarray(0, 4));
  return {
    unwrapFileKey(stanzas) {
      const own = stanzas.find(({ args: [name, tag] }) => name === type && tag === fingerprint);
      if (own === undefined) return null;
      const share = Buffer.from(own.args[2] ?? "", "base64");
      const isWhole =
        own.args.length === 3 &&
        share.length === x25519Bytes &&
        own.body.length === fileKeyBytes + tagBytes;
      if (!isWhole) throw new Error(`the stanza ${type} is not whole`);
      const tweak = privateKeyOf(derive(new Uint8Array(), publicKey));
      const shared = x25519(tweak, x25519(privateKey, share));
      return open(derive(shared, Buffer.concat([share, point])), own.body);
    },
  };
}

function derive(key: Uint8Array, salt: Uint8Array): Buffer {
  return Buffer.from(hkdfSync("sha256", key, salt, label, 32));
}

function open(key: Uint8Array, sealed: Uint8Array): Uint8Array {
  const options = { authTagLength: tagBytes };
  const decipher = createDecipheriv("chacha20-poly1305", key, Buffer.alloc(12), options);
  decipher.setAuthTag(sealed.subarray(fileKeyBytes));
  const opened = decipher.update(sealed.subarray(0, fileKeyBytes));
  return Buffer.concat([opened, decipher.final()]);
}

function base64(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
