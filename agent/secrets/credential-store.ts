import { createHmac } from "node:crypto";
import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Secret, SecretBag } from "#core/secret.ts";
import type { CredentialFile } from "#provisioner/render/base.ts";
import { credentialLimitBytes, sizeOf } from "#provisioner/render/credential-limit.ts";
import { decryptCredential } from "./decrypt-credential.ts";

/** Where credential files live; below the root side's state, mode 0700. */
export const credentialsDirectory = "/var/lib/firstlight/credentials";

const saltFile = `${credentialsDirectory}/.salt`;
const encryptDeadlineMs = 20_000;
// Bound to the TPM, and to none of what it measures: by default that is PCR 7, so that an update of Secure
// Boot's lists would make every secret of the node unreadable. PCR 16 is for debugging, and zero after each
// start. With no PCR at all systemd 252 writes what it refuses to read again ("TPM2 PCR bank invalid").
const encryptArgs = ["encrypt", "--with-key=auto", "--tpm2-pcrs=16"];
const digestLength = 16; // hexadecimal digits: 64 bits tell versions apart, and say nothing about the value

/** How secrets lie on the disk of this machine. */
export interface Protection {
  readonly encrypted: boolean;
  /** For a person: `systemd-creds, host key and TPM2`, `root-only files: systemd-creds is not there`. */
  readonly why: string;
}

/** Puts secrets on disk, each version in a file of its own that is never changed afterwards. */
export interface CredentialStore {
  /** How what is stored now is protected; asked of the machine once, when it has to be known. */
  protection(): Promise<Protection>;
  /**
   * Stores each secret unless the same version is there, or it is larger than a unit can be given;
   * returns how the configuration names it, by secret name. What lies there encrypted stays in use where
   * `systemd-creds` fails for once; where it works, and no longer opens that (another TPM, a damaged
   * file), it is encrypted anew.
   */
  store(secrets: SecretBag): Promise<ReadonlyMap<string, CredentialFile>>;
  /** File names (`<name>@<digest>`) on disk, sorted. */
  list(): readonly string[];
  /**
   * Overwrites and removes every credential file that is not in `keep`, and what a power cut left of
   * one that was being written. Returns the names of the former.
   */
  shred(keep: ReadonlySet<string>): readonly string[];
}

/**
 * Opens the store, making its directory and salt on first use. Secrets are encrypted with
 * `systemd-creds` (host key, and TPM2 where there is one) when that works on this machine, else
 * they are root-only files, and `protection` says so.
 *
 * `looks` opens what is there already, to see whether that still works: where `io` remembers what a boot
 * depended on, this is nothing of it.
 *
 * The digest in a file name is an HMAC with a salt of this machine: configurations name it in a
 * world-readable store, so it must not allow guessing a short secret.
 */
export async function openCredentialStore(io: Io, looks: Io = io): Promise<CredentialStore> {
  io.files.makeDirectory(credentialsDirectory, { mode: 0o700 });
  const salt = readSalt(io);
  let probed: Promise<Protection> | undefined;
  const protection = () => {
    probed ??= probeProtection(io);
    return probed;
  };
  const opens: Opens = (file, value) => canOpen(looks, file, value);
  return {
    protection,
    async store(secrets) {
      const stored = new Map<string, CredentialFile>();
      for (const name of [...secrets.keys()].sort()) {
        const secret = secrets.get(name);
        if (secret === undefined) continue;
        stored.set(name, await storeOne(io, { name, secret, salt, protection, opens }));
      }
      return stored;
    },
    list: () => credentialFiles(io),
    shred: (keep) => shredCredentials(io, keep),
  };
}

/** As {@link CredentialStore.shred}, without opening the store: nothing is encrypted. */
export function shredCredentials(io: Io, keep: ReadonlySet<string>): readonly string[] {
  const removed = credentialFiles(io).filter((file) => !keep.has(file));
  for (const file of [...removed, ...tornFiles(io)])
    io.files.remove(`${credentialsDirectory}/${file}`, { overwrite: true });
  return removed;
}

/**
 * Names credential files without storing anything: for rendering on a machine that is not the node.
 * There is no salt here that nobody else knows, so the name says nothing about the value.
 */
export function previewCredentials(secrets: SecretBag): ReadonlyMap<string, CredentialFile> {
  const files = [...secrets].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(
    files.map(([name, secret]) => [
      name,
      {
        name,
        file: `${name}@preview`,
        version: "preview",
        encrypted: true,
        bytes: secret.reveal().length,
      },
    ]),
  );
}

/** Whether an encrypted file can be opened, and holds this. */
type Opens = (file: CredentialFile, value: Uint8Array) => Promise<boolean>;

async function canOpen(io: Io, { name, file }: CredentialFile, value: Uint8Array) {
  try {
    const place = `${credentialsDirectory}/${file}`;
    return Buffer.from(value).equals(await decryptCredential(io, { name, file: place }));
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
}

interface OneSecret {
  readonly name: string;
  readonly secret: Secret<Uint8Array>;
  readonly salt: Uint8Array;
  readonly protection: CredentialStore["protection"];
  readonly opens: Opens;
}

async function storeOne(
  io: Io,
  { name, secret, salt, protection, opens }: OneSecret,
): Promise<CredentialFile> {
  const value = secret.reveal();
  const as = (encrypted: boolean): CredentialFile => ({
    name,
    file: fileOf(salt, { name, value, encrypted }),
    version: versionOf(salt, name, value),
    encrypted,
    bytes: value.length,
  });
  const isThere = ({ file }: CredentialFile) =>
    io.files.stat(`${credentialsDirectory}/${file}`) !== undefined;
  const sealed = as(true);
  if (isThere(sealed) && (await opens(sealed, value))) return sealed;
  const { encrypted } = await protection();
  const isUnreadable = isThere(sealed);
  if (isUnreadable && !encrypted) return sealed;
  const stored = as(encrypted);
  // What no unit can be given is not stored: the rendering says so at its line, and nothing is built.
  const isStored = !isUnreadable && isThere(stored);
  if (isStored || sizeOf([stored]) > credentialLimitBytes) return stored;
  const bytes = stored.encrypted ? await encryptCredential(io, name, value) : value;
  io.files.write(`${credentialsDirectory}/${stored.file}`, bytes, { mode: 0o400 });
  return stored;
}

/** What systemd-creds makes of a secret under a name. Throws `secret/encrypt-failed`. */
export async function encryptCredential(io: Io, name: string, value: Uint8Array): Promise<string> {
  const result = await io.exec({
    file: "systemd-creds",
    args: [...encryptArgs, `--name=${name}`, "-", "-"],
    stdin: value,
    timeoutMs: encryptDeadlineMs,
    effect: `encrypt credential ${name}`,
  });
  if (result.code !== 0 || result.stdout === "") {
    throw new Fault(
      "secret/encrypt-failed",
      `credential ${name}: systemd-creds ended with ${result.code ?? result.signal}: ${lastLine(result.stderr)}`,
    );
  }
  return result.stdout;
}

/** One real encryption: the program can be there and still not work (no host key to be made, no TPM). */
async function probeProtection(io: Io): Promise<Protection> {
  if (io.files.root !== "/")
    return { encrypted: false, why: "root-only files: this is not the running machine" };
  try {
    const result = await io.exec({
      file: "systemd-creds",
      args: [...encryptArgs, "--name=firstlight-probe", "-", "-"],
      stdin: "probe",
      timeoutMs: encryptDeadlineMs,
    });
    if (result.code === 0)
      return { encrypted: true, why: "systemd-creds with the key of this machine" };
    return {
      encrypted: false,
      why: `root-only files: systemd-creds does not work here: ${lastLine(result.stderr)}`,
    };
  } catch (error) {
    if (error instanceof Fault && error.code === "exec/not-found") {
      return { encrypted: false, why: "root-only files: systemd-creds is not there" };
    }
    throw error;
  }
}

function readSalt(io: Io): Uint8Array {
  const existing = io.files.read(saltFile);
  if (existing !== undefined && existing.length === 32) return existing;
  const salt = io.random.bytes(32);
  io.files.write(saltFile, salt, { mode: 0o400 });
  return salt;
}

interface Version {
  readonly name: string;
  readonly value: Uint8Array;
  /** An encrypted file and a plain one of the same value are two: a unit reads one kind only. */
  readonly encrypted: boolean;
}

function fileOf(salt: Uint8Array, { name, value, encrypted }: Version): string {
  const digest = createHmac("sha256", salt)
    .update(`${encrypted ? "encrypted" : "plain"}\0${name}\0`)
    .update(value)
    .digest("hex")
    .slice(0, digestLength);
  return `${name}@${digest}`;
}

/** Keyed as the file's digest is: it stands in the store as well. */
function versionOf(salt: Uint8Array, name: string, value: Uint8Array): string {
  const hmac = createHmac("sha256", salt).update(`version\0${name}\0`).update(value);
  return hmac.digest("hex").slice(0, digestLength);
}

/** Temporary files of writes that never ended. */
function tornFiles(io: Io): readonly string[] {
  return io.files.list(credentialsDirectory).filter((name) => /^\..*\.tmp$/.test(name));
}

function credentialFiles(io: Io): readonly string[] {
  return io.files
    .list(credentialsDirectory)
    .filter((name) => name.includes("@") && !name.startsWith("."));
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
