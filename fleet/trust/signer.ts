import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { FleetKey } from "#generated/fleet/trust/fleet-key.ts";
import type { Key } from "#generated/protocol/trust/key.ts";
import { keyIdOf, readKey } from "#protocol/trust/keys.ts";
import type { KeyPair } from "#protocol/trust/sign/key-pair.ts";
import { describePublicKey } from "#protocol/trust/sign/key-pair.ts";

/** Something that signs with one key, wherever that lies. */
export interface Signer {
  readonly keyid: string;
  /** A signature in hexadecimal, as TUF writes it. */
  sign(bytes: Uint8Array): Promise<string>;
}

/** A person may have to find a card, enter a number and touch it. */
const timeoutMs = 120_000;

/** The signer of a key that this process holds. */
export function localSigner(pair: KeyPair): Signer {
  return { keyid: pair.keyid, sign: async (bytes) => pair.sign(bytes) };
}

/**
 * The signer of a key that a program keeps: a smart card, a YubiKey, a module behind PKCS#11. It is called
 * as `PROGRAM sign KEYID`, has the bytes on its standard input and prints the signature, in hexadecimal or
 * Base64. What it prints is verified. Throws `signing/signer-failed`.
 */
export function externalSigner(
  { exec }: Pick<Io, "exec">,
  { program, key, signal }: { program: string; key: FleetKey; signal?: AbortSignal },
): Signer {
  const known = readKey(key.keyid, key.key as Key);
  return {
    keyid: key.keyid,
    async sign(bytes) {
      const said = await ask({ exec }, program, {
        args: ["sign", key.keyid],
        stdin: bytes,
        signal,
      });
      const signature = bytesOf(said);
      if (signature !== undefined && known.isSigned(bytes, signature))
        return signature.toString("hex");
      const raw = known.algorithm === "ecdsa-p256" && signature?.length === 64;
      throw failed(
        program,
        raw
          ? "it gave the two raw numbers of ECDSA; DER is expected (pkcs11-tool: --signature-format openssl)"
          : `what it gave is no signature of the key ${key.name}`,
      );
    },
  };
}

/** The public key of a program that signs: called as `PROGRAM public`, it prints it as PEM. Throws `signing/signer-failed`. */
export async function askPublicKey(
  io: Pick<Io, "exec">,
  program: string,
  signal?: AbortSignal,
): Promise<{ readonly keyid: string; readonly key: Key }> {
  const pem = await ask(io, program, { args: ["public"], signal });
  try {
    const key = describePublicKey(pem);
    return { keyid: keyIdOf(key), key };
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw failed(program, `what it gave is no public key that can sign here: ${said}`);
  }
}

async function ask(
  { exec }: Pick<Io, "exec">,
  program: string,
  request: { args: readonly string[]; stdin?: Uint8Array; signal?: AbortSignal | undefined },
): Promise<string> {
  const { args, stdin, signal } = request;
  const { code, stdout, stderr, timedOut } = await exec({
    file: program,
    args,
    timeoutMs,
    maxOutputBytes: 64 * 1024,
    ...(stdin === undefined ? {} : { stdin }),
    ...(signal === undefined ? {} : { signal }),
  });
  signal?.throwIfAborted();
  if (code === 0) return stdout.trim();
  const last = stderr.trim().split("\n").at(-1) ?? "";
  const how = timedOut ? `it took longer than ${timeoutMs / 1000} s` : `it ended with ${code}`;
  throw failed(program, last === "" ? how : `${how}: ${last.slice(0, 300)}`);
}

/** Hexadecimal or Base64, whichever it is whole. */
function bytesOf(text: string): Buffer | undefined {
  const packed = text.replace(/\s+/g, "");
  if (packed === "" || packed.length > 1024) return undefined;
  if (/^(?:[0-9a-fA-F]{2})+$/.test(packed)) return Buffer.from(packed, "hex");
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(packed)) return Buffer.from(packed, "base64");
  return undefined;
}

function failed(program: string, what: string): Fault {
  return new Fault("signing/signer-failed", `${program}: ${what}`);
}
