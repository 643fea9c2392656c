import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import { Secret } from "#core/secret.ts";
import type { FleetKey } from "#generated/fleet/trust/fleet-key.ts";
import {
  type KeyAlgorithm,
  type KeyPair,
  newKeyPair,
  readKeyPair,
} from "#protocol/trust/sign/key-pair.ts";
import { openKey, type Sealing, sealKey, type Unlocking, wantsPassphrase } from "./age-key.ts";
import { keyNamePattern, signingPlaces } from "./places.ts";
import { askPublicKey, externalSigner, localSigner, type Signer } from "./signer.ts";

/** How a new key is kept. */
export type Keeping =
  | { readonly kept: "age"; readonly sealing: Sealing; readonly algorithm?: KeyAlgorithm }
  | { readonly kept: "online"; readonly algorithm?: KeyAlgorithm; readonly online: string }
  | { readonly kept: "signer"; readonly program: string; readonly signal?: AbortSignal };

/**
 * Makes a key, or takes up one that a program keeps. The private half is written first, so that no key
 * is named whose private half is nowhere. Throws `signing/exists`, `cli/usage`, `signing/signer-failed`.
 */
export async function makeKey(
  io: Pick<Io, "files" | "exec">,
  directory: string,
  { name, keeping }: { readonly name: string; readonly keeping: Keeping },
): Promise<{ readonly key: FleetKey; readonly pair?: KeyPair }> {
  const { keys } = signingPlaces(directory);
  const file = `${keys}/${requireKeyName(name)}.json`;
  if (io.files.stat(file) !== undefined)
    throw new Fault("signing/exists", `${file}: a key of this name is there already`);
  if (keeping.kept === "signer") {
    const asked = await askPublicKey(io, keeping.program, keeping.signal);
    const key: FleetKey = { v: 1, name, ...asked, kept: "signer" };
    io.files.create(file, prettyJson(key), { mode: 0o644 });
    return { key };
  }
  const pair = newKeyPair(keeping.algorithm);
  const key: FleetKey = { v: 1, name, keyid: pair.keyid, key: pair.key, kept: keeping.kept };
  // A private half without its public one is what a killed run left: nobody knows it.
  if (keeping.kept === "online")
    io.files.write(`${keeping.online}/${name}.pem`, pair.secret().reveal(), { mode: 0o600 });
  else io.files.write(`${keys}/${name}.age`, await sealKey(pair, keeping.sealing), { mode: 0o600 });
  io.files.create(file, prettyJson(key), { mode: 0o644 });
  return { key, pair };
}

/** What may be needed to sign with a key; asked only when it is. */
export interface Opening {
  /** Directory of the online keys. */
  readonly online: string;
  /** Program that keeps the key. */
  readonly program?: string | undefined;
  readonly signal?: AbortSignal;
  readonly identities?: readonly Secret<string>[];
  /** Asks a person for the passphrase of a key. */
  askPassphrase(name: string): Promise<Secret<string>>;
}

/** Opens a key. Throws `signing/key-locked`, `signing/passphrase-missing`, `cli/usage`. */
export async function openSigner(
  io: Pick<Io, "files" | "exec">,
  directory: string,
  { key, opening }: { readonly key: FleetKey; readonly opening: Opening },
): Promise<Signer> {
  const { program, signal } = opening;
  if (key.kept === "signer") {
    if (program !== undefined)
      return externalSigner(io, { program, key, ...(signal === undefined ? {} : { signal }) });
    throw new Fault("cli/usage", `${key.name}: a program keeps this key; name it with --signer`);
  }
  const pair = await openPair(io, directory, { key, opening });
  if (pair.keyid === key.keyid) return localSigner(pair);
  throw new Fault("signing/damaged", `${key.name}: its private half is that of another key`);
}

async function openPair(
  { files }: Pick<Io, "files">,
  directory: string,
  { key, opening }: { readonly key: FleetKey; readonly opening: Opening },
): Promise<KeyPair> {
  const { name } = key;
  const isOnline = key.kept === "online";
  const file = isOnline
    ? `${opening.online}/${name}.pem`
    : `${signingPlaces(directory).keys}/${name}.age`;
  const text = files.readText(file, { maxBytes: 64 * 1024 });
  if (text === undefined)
    throw new Fault("signing/key-locked", `${name}: ${file} is not there`, {
      hint: isOnline
        ? "name the directory of the online keys with --online"
        : "sign where this key is kept, or bring its file",
    });
  if (isOnline) return readKeyPair(new Secret(text));
  const unlocking: Unlocking = (await wantsPassphrase(text))
    ? { passphrase: await opening.askPassphrase(name) }
    : { identities: opening.identities ?? [] };
  return openKey(name, text, unlocking);
}

/** A name that may be part of a file's. Throws `cli/usage`. */
export function requireKeyName(name: string): string {
  if (keyNamePattern.test(name)) return name;
  throw new Fault(
    "cli/usage",
    `${JSON.stringify(name)}: expected letters, digits, - and _ as name of a key`,
  );
}
