import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { WireReader } from "./wire.ts";

/** Kinds of keys whose signatures count. */
export const keyTypes = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ssh-rsa",
  "sk-ssh-ed25519@openssh.com",
] as const;

export type KeyType = (typeof keyTypes)[number];

/** A public key that a signature is held against. */
export interface SshPublicKey {
  readonly type: KeyType;
  readonly key: KeyObject;
  /** Of a key in hardware: what it is for, which is signed with the text. */
  readonly application?: Uint8Array;
}

/** Shorter ones can be broken; longer ones nobody has, and they take long. */
const rsaBits = { least: 2048, most: 16_384 };

/** Reads a public key as ssh sends it (RFC 4253 section 6.6, RFC 5656, RFC 8709). Throws `RangeError`. */
export function readSshPublicKey(blob: Uint8Array): SshPublicKey {
  const wire = new WireReader(blob);
  const said = wire.text();
  const type = keyTypes.find((each) => each === said);
  if (type === undefined)
    throw new RangeError(`its key is none of the kinds ${keyTypes.join(", ")}`);
  const read = { ...readers[type](wire), type };
  wire.end();
  return read;
}

type ReadKey = (wire: WireReader) => Omit<SshPublicKey, "type">;

const readers: Readonly<Record<KeyType, ReadKey>> = {
  "ssh-ed25519": (wire) => ({ key: ed25519(wire.field()) }),
  "sk-ssh-ed25519@openssh.com": (wire) => ({
    key: ed25519(wire.field()),
    application: wire.field(),
  }),
  "ecdsa-sha2-nistp256": (wire) => {
    const curve = wire.text();
    const point = wire.field();
    if (curve !== "nistp256" || point.length !== 65 || point[0] !== 4)
      throw new RangeError("its key is no point of nistp256");
    return { key: fromJwk({ kty: "EC", crv: "P-256", x: part(point, 1), y: part(point, 33) }) };
  },
  "ssh-rsa": (wire) => {
    const [e, n] = [wire.natural(), wire.natural()];
    const bits = n.length * 8 - Math.clz32(n[0] ?? 0) + 24;
    if (bits < rsaBits.least || bits > rsaBits.most || e.length > 8)
      throw new RangeError(
        `its RSA key has ${bits} bits, and ${rsaBits.least} to ${rsaBits.most} count`,
      );
    return { key: fromJwk({ kty: "RSA", e: base64url(e), n: base64url(n) }) };
  },
};

function ed25519(point: Buffer): KeyObject {
  if (point.length !== 32) throw new RangeError("its Ed25519 key has not 32 bytes");
  return fromJwk({ kty: "OKP", crv: "Ed25519", x: base64url(point) });
}

function part(point: Buffer, start: number): string {
  return base64url(point.subarray(start, start + 32));
}

function base64url(bytes: Buffer): string {
  return bytes.toString("base64url");
}

function fromJwk(key: { readonly [name: string]: string }): KeyObject {
  try {
    return createPublicKey({ key, format: "jwk" });
  } catch {
    throw new RangeError("its key cannot be one");
  }
}

/** A line of a `.pub` file. */
export interface KeyLine {
  readonly blob: Uint8Array;
  /** What follows the key, for a person; empty where nothing does. */
  readonly comment: string;
}

/** Reads a public key of one of the {@link keyTypes} from its line, `undefined` where it is none. */
export function readKeyLine(line: string): KeyLine | undefined {
  const [, type = "", base64 = "", comment = ""] =
    /^(\S+)[ \t]+([A-Za-z0-9+/]+={0,2})(?:[ \t]+(.*))?$/.exec(line.trim()) ?? [];
  const blob = Buffer.from(base64, "base64");
  try {
    return readSshPublicKey(blob).type === type ? { blob, comment: comment.trim() } : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A key for a person, as `ssh-keygen -l` prints it: `SHA256:…`. */
export function fingerprintOf(blob: Uint8Array): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}
