import path from "node:path";
import { Fault } from "#core/fault.ts";
import { Secret } from "#core/secret.ts";
import type { Keeping, Opening } from "#fleet/trust/key-store.ts";
import { openSigner } from "#fleet/trust/key-store.ts";
import { signingPlaces } from "#fleet/trust/places.ts";
import { readRepository } from "#fleet/trust/read-repository.ts";
import type { Repository } from "#fleet/trust/repository.ts";
import type { Signer } from "#fleet/trust/signer.ts";
import { publishReady, type Span } from "#fleet/trust/stage.ts";
import { nodeNamePattern } from "#protocol/enroll/limits.ts";
import { type Invocation, textFlag } from "../command.ts";
import { readInput } from "../read-input.ts";
import { askNewPassphrase, askPassphrase, passphraseFrom } from "./ask.ts";

/** Where a fleet lies when nobody says it; as that of enrolment. */
const defaultDirectory = "/var/lib/firstlight-fleet";

/** How long what is signed counts, in days, when nobody says it. */
export const usualDays = { root: 365, targets: 90, node: 7 } as const;

export function directoryOf({ flags }: Invocation): string {
  return path.resolve(textFlag(flags, "dir") ?? defaultDirectory);
}

export function onlineOf(invocation: Invocation, directory: string): string {
  const online = textFlag(invocation.flags, "online");
  return online === undefined ? signingPlaces(directory).online : path.resolve(online);
}

export function listFlag({ flags }: Invocation, name: string): readonly string[] | undefined {
  return textFlag(flags, name)
    ?.split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
}

/** A whole number of a flag. Throws `cli/usage`. */
export function numberFlag({ flags }: Invocation, name: string): number | undefined {
  const text = textFlag(flags, name);
  if (text === undefined) return undefined;
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new Fault("cli/usage", `--${name}: expected a whole number, got ${JSON.stringify(text)}`);
}

export function requiredFlag({ flags }: Invocation, name: string): string {
  const text = textFlag(flags, name);
  if (text !== undefined) return text;
  throw new Fault("cli/usage", `expected --${name}`);
}

/** The name of a node. Throws `cli/usage`. */
export function requireNode(name: string): string {
  if (nodeNamePattern.test(name)) return name;
  throw new Fault("cli/usage", `${JSON.stringify(name)} is no name of a node`);
}

/** For how long from now something counts. Throws `cli/usage`. */
export function spanOf(invocation: Invocation, usual: number): Span {
  const days = numberFlag(invocation, "days") ?? usual;
  if (days < 1 || days > 3650)
    throw new Fault("cli/usage", `--days: expected 1 to 3650, got ${days}`);
  return { nowMs: invocation.io.clock.now(), days };
}

/** The repository, with what a run that was killed left half done brought to its end. */
export function openRepository(invocation: Invocation): Repository {
  const { files } = invocation.io;
  const repository = readRepository(files, directoryOf(invocation));
  const span = { nowMs: invocation.io.clock.now(), days: usualDays.targets };
  return publishReady(files, repository, span).repository;
}

/** How new keys are kept, as flags or the person at the terminal say it. */
export async function keepingOf(invocation: Invocation): Promise<Keeping> {
  const { flags, signal } = invocation;
  const program = textFlag(flags, "signer");
  if (program !== undefined) return { kept: "signer", program, signal };
  const algorithm = algorithmOf(invocation);
  const recipients = listFlag(invocation, "recipient");
  if (recipients !== undefined) return { kept: "age", algorithm, sealing: { recipients } };
  const descriptor = textFlag(flags, "passphrase-fd");
  const passphrase =
    descriptor === undefined ? await askNewPassphrase(signal) : passphraseFrom(descriptor);
  return { kept: "age", algorithm, sealing: { passphrase } };
}

function algorithmOf({ flags }: Invocation) {
  const said = textFlag(flags, "algorithm") ?? "ed25519";
  if (said === "ed25519") return "ed25519";
  if (said === "p256") return "ecdsa-p256";
  throw new Fault(
    "cli/usage",
    `--algorithm: expected ed25519 or p256, got ${JSON.stringify(said)}`,
  );
}

/** Opens keys by name, asking no more than once for what opens several. */
export function keyOpener(
  invocation: Invocation,
  repository: Repository,
): (name: string) => Promise<Signer> {
  const { flags, io, signal } = invocation;
  const { directory, keys } = repository;
  const descriptor = textFlag(flags, "passphrase-fd");
  let said: Secret<string> | undefined;
  const opened = new Map<string, Signer>();
  return async (name) => {
    const known = opened.get(name);
    if (known !== undefined) return known;
    const key = keys.get(name);
    if (key === undefined)
      throw new Fault("signing/key-unknown", `there is no key ${JSON.stringify(name)}`);
    const opening: Opening = {
      online: onlineOf(invocation, directory),
      program: textFlag(flags, "signer"),
      signal,
      identities: await identitiesOf(invocation),
      async askPassphrase(of) {
        if (descriptor === undefined) return askPassphrase(`passphrase of ${of}`, signal);
        said ??= passphraseFrom(descriptor);
        return said;
      },
    };
    const signer = await openSigner(io, directory, { key, opening });
    opened.set(name, signer);
    return signer;
  };
}

async function identitiesOf({ flags, signal }: Invocation): Promise<readonly Secret<string>[]> {
  const file = textFlag(flags, "identity");
  if (file === undefined) return [];
  const text = Buffer.from(await readInput(file, { signal, maxBytes: 64 * 1024 })).toString();
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => new Secret(line));
}

/** The name of a key by its id. Throws `signing/key-unknown`. */
export function nameOfKey({ keys }: Repository, keyid: string): string {
  const found = [...keys.values()].find((key) => key.keyid === keyid);
  if (found !== undefined) return found.name;
  throw new Fault("signing/key-unknown", `no file in keys/ holds the key ${keyid.slice(0, 16)}`);
}
