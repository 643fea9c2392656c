import { isFault } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";
import { isContainer } from "../../container.ts";
import type { Observe } from "../datasource.ts";
import { readKernelArguments } from "../kernel-command-line.ts";
import { parseKernelWords } from "./kernel-words.ts";
import { isOurs } from "./names.ts";
import { type CarriedCredential, parseOemStrings } from "./smbios-strings.ts";

/** A way by which credentials come to a machine. */
export interface Channel {
  /** In words for a person, and for a pin: the same on every boot. */
  readonly name: string;
  /** Whether a hypervisor or boot loader speaks by it, so that systemd hands its credentials on. */
  readonly isCarrier: boolean;
  readonly credentials: readonly ChannelCredential[];
}

/** A credential of ours in one channel. */
export interface ChannelCredential {
  readonly name: string;
  /** Where it lies, for a person: `/run/credentials/@system/firstlight.spec`. */
  readonly place: string;
  /** Its bytes; `undefined` where only systemd-creds can read it, or nobody. */
  readonly value: Uint8Array | undefined;
  /** What systemd-creds has to decrypt. */
  readonly sealedFile?: string;
  /** Why nobody can read it. */
  readonly problem?: string;
}

/** What a unit of systemd is handed at most. */
const maxBytes = 1024 * 1024;

const systemDirectory = "/run/credentials/@system";
const encryptedDirectory = "/run/credentials/@encrypted";
/** Where an image keeps credentials for its units (systemd.exec(5), ImportCredential). */
const storeDirectories = [
  "/etc/credstore",
  "/run/credstore",
  "/usr/local/lib/credstore",
  "/usr/lib/credstore",
];
const firmwareDirectory = "/sys/firmware/qemu_fw_cfg/by_name/opt/io.systemd.credentials";
const smbiosDirectory = "/sys/firmware/dmi/entries";
/** By them the guest of a confidential machine speaks to its processor. */
const confidentialDevices = ["/dev/sev-guest", "/dev/tdx_guest", "/dev/tdx-guest"];

/** Names of channels. */
export const channelNames = {
  unit: "credentials of the unit",
  system: "credentials of the system",
  encrypted: "encrypted credentials",
  firmware: "QEMU fw_cfg",
  smbios: "SMBIOS",
  commandLine: "kernel command line",
} as const;

/**
 * Every channel with the credentials of ours in it, in the order in which systemd lets them count: what
 * it hands on, plain and then encrypted, and what it takes it from: fw_cfg, SMBIOS, kernel command line. In a container firmware is another machine's,
 * and a confidential machine does not trust its hypervisor: there, as in systemd, neither is read.
 */
export function readChannels({ files, env }: Pick<Io, "files" | "env">, observe: Observe) {
  const own = env["CREDENTIALS_DIRECTORY"];
  const isTrusted = !isContainer(files) && !isConfidential(files, observe);
  const read = (name: string, isCarrier: boolean, list: () => readonly ChannelCredential[]) => ({
    ...{ name, isCarrier },
    credentials: tryList(name, list, observe),
  });
  const channels: readonly Channel[] = [
    read(channelNames.unit, false, () => (own === undefined ? [] : plainFiles(files, own))),
    ...[systemDirectory, ...storeDirectories].map((directory) =>
      read(channelNames.system, false, () => plainFiles(files, directory)),
    ),
    ...[encryptedDirectory, ...storeDirectories.map((each) => `${each}.encrypted`)].map(
      (directory) => read(channelNames.encrypted, false, () => sealedFiles(files, directory)),
    ),
    read(channelNames.firmware, true, () => (isTrusted ? firmwareFiles(files) : [])),
    read(channelNames.smbios, true, () => (isTrusted ? oemStrings(files) : [])),
    read(channelNames.commandLine, true, () => kernelWords(files)),
  ];
  return channels.filter(({ credentials }) => credentials.length > 0);
}

/** What only root may read says nothing to others. */
function tryList(
  name: string,
  list: () => readonly ChannelCredential[],
  observe: Observe,
): readonly ChannelCredential[] {
  try {
    return list();
  } catch (error) {
    if (!isFault(error)) throw error;
    observe(`${name}: not readable: ${error.message}`);
    return [];
  }
}

function isConfidential(files: Files, observe: Observe): boolean {
  const device = confidentialDevices.find((path) => files.stat(path) !== undefined);
  if (device !== undefined)
    observe(`${device}: a confidential machine, whose firmware is not asked`);
  return device !== undefined;
}

function plainFiles(files: Files, directory: string): readonly ChannelCredential[] {
  return named(files.list(directory)).map((name) => readOne(files, name, `${directory}/${name}`));
}

function sealedFiles(files: Files, directory: string): readonly ChannelCredential[] {
  return named(files.list(directory)).map((name) => {
    const place = `${directory}/${name}`;
    return { name, place, value: undefined, sealedFile: place };
  });
}

function firmwareFiles(files: Files): readonly ChannelCredential[] {
  return named(files.list(firmwareDirectory)).map((name) =>
    readOne(files, name, `${firmwareDirectory}/${name}/raw`),
  );
}

/** One that is larger than systemd hands on does not take the others away. */
function readOne(files: Files, name: string, place: string): ChannelCredential {
  try {
    const value = files.read(place, { maxBytes });
    return { name, place, value, ...(value === undefined ? { problem: "it is gone" } : {}) };
  } catch (error) {
    if (!isFault(error)) throw error;
    return { name, place, value: undefined, problem: error.message };
  }
}

function oemStrings(files: Files): readonly ChannelCredential[] {
  const structures = files
    .list(smbiosDirectory)
    .filter((name) => /^11-\d+$/.test(name))
    .sort((a, b) => Number(a.slice(3)) - Number(b.slice(3)));
  return structures.flatMap((structure) => {
    const place = `${smbiosDirectory}/${structure}/raw`;
    const bytes = files.read(place, { maxBytes }) ?? new Uint8Array();
    return carried(parseOemStrings(bytes), place);
  });
}

function kernelWords(files: Files): readonly ChannelCredential[] {
  return carried(parseKernelWords(readKernelArguments(files)), channelNames.commandLine);
}

function carried(all: readonly CarriedCredential[], place: string): readonly ChannelCredential[] {
  return all.flatMap(({ name, value }) => {
    if (!isOurs(name)) return [];
    const problem = value === undefined ? { problem: "its value is no base64" } : {};
    return [{ name, place, value, ...problem }];
  });
}

function named(names: readonly string[]): readonly string[] {
  return names.filter(isOurs);
}
