import { createHash, verify } from "node:crypto";
import { type KeyType, readSshPublicKey, type SshPublicKey } from "./ssh-public-key.ts";
import { WireReader, wireField } from "./wire.ts";

/** A signature of `ssh-keygen -Y sign`. */
export interface SshSignature {
  /** The key that made it, as ssh sends it. */
  readonly publicKey: Uint8Array;
  /** What it was made for. */
  readonly namespace: string;
  /** Whether it is one of this text by its key, which may be anybody's. */
  fits(text: Uint8Array): boolean;
}

const magic = "SSHSIG";

/** Of a key in hardware: that a person touched it. */
const userPresent = 0x01;

/**
 * Reads what stands in the armour
 * (https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig). Throws `RangeError`.
 */
export function readSshSignature(bytes: Uint8Array): SshSignature {
  const wire = new WireReader(bytes);
  if (wire.take(magic.length).toString("latin1") !== magic)
    throw new RangeError("it does not begin as one of ssh-keygen -Y sign does");
  const version = wire.number();
  if (version !== 1) throw new RangeError(`it is of the version ${version}, and 1 is read`);
  const publicKey = wire.field();
  const [namespace, reserved, hash] = [wire.field(), wire.field(), wire.text()];
  const signature = new WireReader(wire.field());
  wire.end();
  // ssh-keygen takes none either: it verifies as if the field were empty.
  if (reserved.length > 0)
    throw new RangeError("it has something in a field that is kept for later");
  if (hash !== "sha256" && hash !== "sha512")
    throw new RangeError("its hash is neither sha256 nor sha512");
  const key = readSshPublicKey(publicKey);
  const fits = readers[key.type](key, signature);
  signature.end();
  const signed = (text: Uint8Array) =>
    Buffer.concat([
      Buffer.from(magic),
      ...[namespace, reserved, hash].map(wireField),
      wireField(createHash(hash).update(text).digest()),
    ]);
  return {
    publicKey,
    namespace: namespace.toString("utf8"),
    fits: (text) => fits(signed(text)),
  };
}

/** Reads the signature of a kind of key; what comes back says whether it is one of these bytes. */
type ReadSignature = (key: SshPublicKey, wire: WireReader) => (signed: Buffer) => boolean;

const readers: Readonly<Record<KeyType, ReadSignature>> = {
  "ssh-ed25519": ({ key }, wire) => {
    expectAlgorithm(wire, ["ssh-ed25519"]);
    const signature = wire.field();
    return (signed) => verify(null, signed, key, signature);
  },
  "sk-ssh-ed25519@openssh.com": ({ key, application = new Uint8Array() }, wire) => {
    expectAlgorithm(wire, ["sk-ssh-ed25519@openssh.com"]);
    const signature = wire.field();
    const [flags, counter] = [wire.take(1), wire.take(4)];
    if (((flags[0] ?? 0) & userPresent) === 0)
      throw new RangeError("nobody touched the key that made it");
    const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
    const around = (signed: Buffer) => [digest(application), flags, counter, digest(signed)];
    return (signed) => verify(null, Buffer.concat(around(signed)), key, signature);
  },
  "ecdsa-sha2-nistp256": ({ key }, wire) => {
    expectAlgorithm(wire, ["ecdsa-sha2-nistp256"]);
    const inner = new WireReader(wire.field());
    const signature = Buffer.concat([inner.natural(), inner.natural()].map(padded));
    inner.end();
    return (signed) => verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, signature);
  },
  "ssh-rsa": ({ key }, wire) => {
    // Not ssh-rsa, which is SHA-1.
    const algorithm = expectAlgorithm(wire, ["rsa-sha2-256", "rsa-sha2-512"]);
    const signature = wire.field();
    const hash = algorithm === "rsa-sha2-256" ? "sha256" : "sha512";
    return (signed) => verify(hash, signed, key, signature);
  },
};

function expectAlgorithm(wire: WireReader, known: readonly string[]): string {
  const algorithm = wire.text();
  if (known.includes(algorithm)) return algorithm;
  throw new RangeError(`it is made in a way that does not count; ${known.join(" or ")} does`);
}

function padded(number: Buffer): Buffer {
  if (number.length > 32) throw new RangeError("it holds a number that is too large");
  return Buffer.concat([Buffer.alloc(32 - number.length), number]);
}
