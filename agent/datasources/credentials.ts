import { Fault, isFault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { Io } from "#core/io.ts";
import { Secret } from "#core/secret.ts";
import { makeContent } from "./content.ts";
import {
  credentialsDocument,
  type FoundCredential,
  type FoundCredentials,
  findCredentials,
} from "./credentials/find-credentials.ts";
import { type DocumentName, secretNameOf } from "./credentials/names.ts";
import { readCredential } from "./credentials/read-credential.ts";
import type { Datasource, DatasourceContent, Detection } from "./datasource.ts";
import { addSecrets } from "./given-secrets.ts";
import { metaDataOfMachine } from "./machine-instance.ts";
import { readMetaData } from "./meta-data.ts";

/** A detection that remembers what was found. */
export interface CredentialsDetection extends Detection {
  readonly found: FoundCredentials;
}

/**
 * Credentials of systemd that are addressed to firstlight: `firstlight.spec` or `firstlight.user-data`,
 * and beside it `firstlight.meta-data`, `firstlight.network-config` and `firstlight.secret.NAME`. See
 * docs/datasources.md.
 */
export const credentials: Datasource<CredentialsDetection> = {
  name: "credentials",
  needs: "nothing",
  detect(io, observe = () => {}) {
    const evidence: string[] = [];
    const found = findCredentials(io, (observation) => {
      evidence.push(observation);
      observe(observation);
    });
    const document = mainDocument(found);
    if (document === undefined) return undefined;
    const place = `credential ${document.name} (${document.origin})`;
    return { place, identity: place, removable: false, evidence, found };
  },
  async read(io, { found, evidence, place, identity, removable }) {
    const document = mainDocument(found);
    if (document === undefined) throw new Fault("datasource/missing", `${place}: it is gone`);
    const read = async (name: DocumentName) => {
      const credential = found.byName.get(name);
      return credential === undefined ? undefined : readCredential(io, credential);
    };
    const metaData = await read("firstlight.meta-data");
    const content = makeContent({
      datasource: { name: "credentials", place, identity, removable, evidence },
      metaData:
        metaData === undefined
          ? metaDataOfMachine(io.files)
          : readMetaData(metaData, "firstlight.meta-data"),
      documents: {
        userData: await readCredential(io, document),
        networkConfig: await read("firstlight.network-config"),
      },
      defaultInstanceId: "credentials",
      findings: [...found.findings, ...passedOver(found)],
    });
    const isSpec = document.name === "firstlight.spec";
    const given = await readSecrets(io, found);
    return {
      ...content,
      findings: [...content.findings, ...given.findings],
      ...(isSpec ? { userData: { document: document.name, format: "firstlight" } } : {}),
      ...addSecrets(content, given.secrets),
    };
  },
};

/** Adds the secrets that come as credentials to what another datasource says. */
export async function addCredentialSecrets(
  io: Io,
  content: DatasourceContent,
): Promise<DatasourceContent> {
  const found = findCredentials(io);
  const given = await readSecrets(io, found);
  const findings = [...content.findings, ...found.findings, ...given.findings];
  return { ...content, findings, ...addSecrets(content, given.secrets) };
}

/** What the credentials of a machine bring by name. */
interface Given {
  readonly secrets: ReadonlyMap<string, Secret<Uint8Array>>;
  /** Of those that cannot be decrypted: a spec that refers to one says so at its line. */
  readonly findings: readonly Finding[];
}

async function readSecrets(io: Io, { byName }: FoundCredentials): Promise<Given> {
  const secrets = new Map<string, Secret<Uint8Array>>();
  const findings: Finding[] = [];
  for (const credential of byName.values()) {
    const name = secretNameOf(credential.name);
    if (name === undefined) continue;
    try {
      secrets.set(name, new Secret(await readCredential(io, credential)));
    } catch (error) {
      if (!isFault(error)) throw error;
      const { code, message } = error;
      findings.push({
        ...{ document: credentialsDocument, path: credential.name, line: null, column: null },
        ...{ level: "warning", code, message: `passed over: ${message}`, hint: error.hint ?? null },
      });
    }
  }
  return { secrets, findings };
}

function mainDocument({ byName }: FoundCredentials): FoundCredential | undefined {
  return byName.get("firstlight.spec") ?? byName.get("firstlight.user-data");
}

function passedOver({ byName }: FoundCredentials): readonly Finding[] {
  if (!byName.has("firstlight.spec") || !byName.has("firstlight.user-data")) return [];
  return [
    {
      ...{ document: credentialsDocument, path: "firstlight.user-data", line: null, column: null },
      level: "warning",
      code: "datasource/several",
      message: "not used: there is firstlight.spec",
      hint: "remove the one that is not meant",
    },
  ];
}
