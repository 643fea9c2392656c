import type { Finding } from "#core/finding.ts";
import type { Io } from "#core/io.ts";
import type { Observe } from "../datasource.ts";
import { type Channel, type ChannelCredential, channelNames, readChannels } from "./channels.ts";
import { isSecret, problemOfName } from "./names.ts";

/** Document of findings about credentials. */
export const credentialsDocument = "credentials";

/** A credential of ours that counts. */
export interface FoundCredential extends ChannelCredential {
  /** The channel that it came to the machine by, whichever it was read from. */
  readonly origin: string;
}

/** The credentials of this machine, and what became of those that do not count. */
export interface FoundCredentials {
  readonly byName: ReadonlyMap<string, FoundCredential>;
  readonly findings: readonly Finding[];
}

/**
 * Looks for credentials of ours, by files alone. Of several with one name that counts which systemd
 * would take; another value of it is told.
 */
export function findCredentials(
  io: Pick<Io, "files" | "env">,
  observe: Observe = () => {},
): FoundCredentials {
  const channels = readChannels(io, observe);
  const byName = new Map<string, FoundCredential>();
  const findings: Finding[] = [];
  const unknown = new Set<string>();
  for (const channel of channels) {
    for (const credential of channel.credentials) {
      const { name, value } = credential;
      const problem = problemOfName(name);
      if (problem !== undefined) {
        if (!unknown.has(name)) findings.push(unknownName(credential, problem));
        unknown.add(name);
        observe(`${credential.place}: ${name}: ${problem}`);
        continue;
      }
      findings.push(...problemsOf(credential, channel));
      if (credential.problem !== undefined) continue;
      const first = byName.get(name);
      if (first === undefined) {
        byName.set(name, { ...credential, origin: originOf(channels, name) });
        const size = value === undefined ? "encrypted" : `${value.length} bytes`;
        observe(`${channel.name}: ${name} (${size})`);
      } else if (saysOtherwise(first, credential))
        findings.push(notUsed(credential, channel, first));
    }
  }
  return { byName, findings };
}

/**
 * The first that carries it; else systemd was given it, by an image, a boot partition or a manager. A unit
 * sees what it is handed and nothing beside it, a person all the rest: both have to say the same.
 */
function originOf(channels: readonly Channel[], name: string): string {
  const carrier = channels.find(
    ({ isCarrier, credentials }) => isCarrier && credentials.some(isUsable(name)),
  );
  return carrier?.name ?? "systemd";
}

function isUsable(wanted: string) {
  return ({ name, problem }: ChannelCredential) => name === wanted && problem === undefined;
}

/** A sealed one after a plain one is what systemd has decrypted for the unit. */
function saysOtherwise(first: FoundCredential, later: ChannelCredential): boolean {
  if (later.value === undefined) return false;
  return first.value === undefined || Buffer.compare(first.value, later.value) !== 0;
}

function unknownName({ name, place }: ChannelCredential, problem: string): Finding {
  const hint = "docs/datasources.md lists the names";
  return about(name, "warning", "datasource/unknown-credential", `${place}: ${problem}`, hint);
}

function problemsOf(credential: ChannelCredential, channel: Channel): readonly Finding[] {
  const { name, place, problem } = credential;
  if (problem !== undefined) {
    const message = `${place}: passed over: ${problem}`;
    return [about(name, "warning", "datasource/unusable", message, "give it anew, or remove it")];
  }
  if (channel.name !== channelNames.commandLine) return [];
  const message = "everybody on the machine may read the kernel's command line";
  const hint = "give it by SMBIOS, by fw_cfg or encrypted (systemd-creds encrypt)";
  return [
    about(name, isSecret(name) ? "warning" : "note", "secret/readable-by-all", message, hint),
  ];
}

function notUsed(
  { name, place }: ChannelCredential,
  channel: Channel,
  first: FoundCredential,
): Finding {
  const where = channel.name === place ? place : `${channel.name} (${place})`;
  const message = `that of ${where} is not used: ${first.place} comes first and says something else`;
  return about(name, "warning", "datasource/several", message, "remove the one that is not meant");
}

function about(
  path: string,
  level: Finding["level"],
  code: Finding["code"],
  message: string,
  hint: string,
): Finding {
  return {
    ...{ document: credentialsDocument, path, line: null, column: null },
    ...{ level, code, message, hint },
  };
}
