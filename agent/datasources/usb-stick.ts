import { Fault, isFault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { Files } from "#core/io.ts";
import { Secret } from "#core/secret.ts";
import { secretName } from "#provisioner/userdata/draft.ts";
import { envelopeForm } from "#provisioner/userdata/envelope-form.ts";
import { type BlockDevice, openBlockDevice } from "./block-devices.ts";
import type { DatasourceContent } from "./datasource.ts";
import { quoted } from "./images/image.ts";
import { openVolume, type Volume } from "./images/volume.ts";
import { type MetaData, readMetaData } from "./meta-data.ts";

const mebi = 1024 * 1024;
const maxUserDataBytes = 16 * mebi;
const maxBytes = mebi;
/** A secret is at most what a unit can be handed, here in an envelope that may be armoured. */
const maxSecretBytes = 2 * mebi;
const maxSecrets = 256;

/** Files that say what the machine is to become, in the order in which they count. */
const mainFiles = ["spec.yaml.age", "spec.yaml", "user-data.age", "user-data"] as const;

/** What a stick says, whole. */
export interface Stick {
  readonly userData: Uint8Array;
  readonly about: NonNullable<DatasourceContent["userData"]>;
  /** `undefined` where there is none. */
  readonly metaData: MetaData | undefined;
  readonly networkConfig: Uint8Array | undefined;
  /** Sealed or plain, as they are. */
  readonly secrets: ReadonlyMap<string, Secret<Uint8Array>>;
  readonly findings: readonly Finding[];
  /** For a person: which files with how many bytes. */
  readonly evidence: string;
}

/** Reads a stick. Throws `datasource/missing`, `datasource/malformed`, `io/…`. */
export function readStick(files: Files, device: BlockDevice): Stick {
  const access = openBlockDevice(files, device);
  try {
    const volume = openVolume(access, device.node);
    if (volume !== undefined) return readVolume(volume, device.node);
    const message = `${device.node}: an ISO 9660 or FAT file system was expected, there is none`;
    throw new Fault("datasource/malformed", message);
  } finally {
    access.close();
  }
}

function readVolume(volume: Volume, node: string): Stick {
  const present = mainFiles.flatMap((name) => {
    const bytes = volume.read(name, maxUserDataBytes);
    return bytes === undefined ? [] : [{ name, bytes }];
  });
  const [main, ...others] = present;
  if (main === undefined) throw withoutMain(volume, node);
  const metaData = volume.read("meta-data", maxBytes);
  const networkConfig = volume.read("network-config", maxBytes);
  const { secrets, findings } = readSecrets(volume);
  const isSpec = main.name.startsWith("spec.yaml");
  const read = { [main.name]: main.bytes, "meta-data": metaData, "network-config": networkConfig };
  const sizes = Object.entries(read).flatMap(([name, bytes]) =>
    bytes === undefined ? [] : [`${name} (${bytes.length} bytes)`],
  );
  const count = secrets.size === 0 ? [] : [`secrets: ${secrets.size}`];
  return {
    userData: main.bytes,
    about: { document: main.name, ...(isSpec ? { format: "firstlight" } : {}) },
    metaData: metaData === undefined ? undefined : readMetaData(metaData, node),
    networkConfig,
    secrets,
    findings: [
      ...others.map(({ name }) => several(name, main.name)),
      ...(main.name.endsWith(".age") ? unsealed(main.name, main.bytes) : []),
      ...findings,
    ],
    evidence: `${node}: ${[...sizes, ...count].join(", ")}`,
  };
}

function withoutMain(volume: Volume, node: string): Fault {
  const names = volume.list().map(({ name }) => quoted(name));
  const there = names.slice(0, 12).join(", ") || "no file";
  return new Fault(
    "datasource/missing",
    `${node}: spec.yaml or user-data was expected, there is ${there}`,
    { hint: "put spec.yaml into the root of the stick, or spec.yaml.age where it is sealed" },
  );
}

/** Files of `secrets/`: `NAME.age`, which counts before `NAME`. What systems leave there hidden is passed over. */
function readSecrets(volume: Volume): Pick<Stick, "secrets" | "findings"> {
  const secrets = new Map<string, Secret<Uint8Array>>();
  const findings: Finding[] = [];
  const directory = volume
    .list()
    .find(({ name, kind }) => kind === "directory" && name.toLowerCase() === "secrets")?.name;
  if (directory === undefined) return { secrets, findings };
  const names = volume
    .list(directory)
    .filter(({ name, kind }) => kind === "file" && !name.startsWith("."))
    .map(({ name }) => name)
    .sort((a, b) => Number(b.endsWith(".age")) - Number(a.endsWith(".age")) || (a < b ? -1 : 1));
  for (const file of names) {
    const document = `secrets/${file}`;
    const name = file.replace(/\.age$/, "");
    const problem = secretName.test(name)
      ? secrets.size < maxSecrets
        ? undefined
        : `there are more than ${maxSecrets} secrets`
      : "this is no name of a secret";
    if (problem !== undefined) {
      findings.push(about(document, "datasource/unusable", `passed over: ${problem}`));
    } else if (secrets.has(name)) findings.push(several(document, `secrets/${name}.age`));
    else {
      try {
        const bytes = volume.read(`${directory}/${file}`, maxSecretBytes) ?? new Uint8Array();
        secrets.set(name, new Secret(bytes));
        findings.push(...unsealed(document, bytes));
      } catch (error) {
        if (!isFault(error, "io/too-large")) throw error;
        findings.push(about(document, "secret/too-large", `passed over: ${error.message}`));
      }
    }
  }
  return { secrets, findings };
}

function several(document: string, used: string): Finding {
  return about(document, "datasource/several", `not used: ${used} comes first`);
}

function unsealed(document: string, bytes: Uint8Array): readonly Finding[] {
  if (envelopeForm(bytes) !== undefined) return [];
  return [about(document, "secret/unsealed", "no age envelope: whoever has the stick can read it")];
}

function about(document: string, code: Finding["code"], message: string): Finding {
  return {
    ...{ document, path: "", line: null, column: null, hint: null },
    ...{ level: "warning", code, message },
  };
}
