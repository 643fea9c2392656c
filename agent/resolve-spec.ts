import type { Finding } from "#core/finding.ts";
import type { Settings } from "#generated/agent/settings.ts";
import { referencedSources } from "#provisioner/userdata/referenced-sources.ts";
import { type Documents, translate } from "#provisioner/userdata/translate.ts";
import type { RawDocument, Translation } from "#provisioner/userdata/translation.ts";
import { checkModules, type ParseModule } from "./check-modules.ts";
import { type DatasourceContent, rawDocuments } from "./datasources/datasource.ts";
import { givenSecrets } from "./datasources/given-secrets.ts";
import { defaultUserName } from "./default-user.ts";
import { launchIndexOf } from "./launch-index.ts";
import { openDocuments, openSecrets } from "./open-sealed.ts";
import { type ReadPartsTools, readParts } from "./read-parts.ts";
import type { OpenEnvelope } from "./secrets/envelope-opener.ts";

/** What reading documents takes beside them. */
export interface ResolveTools extends ReadPartsTools {
  readonly openEnvelope: OpenEnvelope;
  /** Says whether a text is Nix; without it modules are taken as they are. */
  readonly parseModule?: ParseModule;
  /** Leaves vendor-data out, and says so with these findings about it. */
  readonly blamed?: readonly Finding[];
}

/** A translation, and what was read for it beside the documents. */
export interface Resolution extends Translation {
  /** By address; the text of a template, once rendered, by the name of its document. */
  readonly fetched: ReadonlyMap<string, Uint8Array>;
}

/** What a datasource says -> one validated spec, its secrets beside it. Never throws for bad input. */
export async function resolveSpec(
  content: DatasourceContent,
  settings: Settings,
  tools: ResolveTools,
): Promise<Resolution> {
  const { instance } = content;
  const { openEnvelope, parseModule } = tools;
  const { blamed, ...given } = tools;
  const opened = await openDocuments(readDocuments(content, blamed), openEnvelope);
  const { documents } = opened;
  const parts = await readParts(documents, instance, given);
  const { rendered } = parts;
  const known = { rendered, launchIndex: launchIndexOf(instance.metaData) };
  const urls = referencedSources(documents, { ...known, fetched: parts.fetched });
  const files = urls.length === 0 ? [] : await tools.fetchSources(urls);
  const fetched = new Map([...parts.fetched, ...files]);
  const translation = translate(documents, {
    hostname: instance.hostname,
    publicKeys: instance.publicKeys,
    defaultUser: settings.defaultUser ?? defaultUserName,
    ...{ ...known, fetched },
    nixModules: settings.userData?.nixModules ?? false,
    secrets: givenSecrets(content),
  });
  const { secrets, findings } = await openSecrets(translation, openEnvelope);
  const ofModules = parseModule === undefined ? [] : await checkModules(translation, parseModule);
  return {
    ...{ ...translation, secrets },
    fetched: new Map([...fetched, ...parts.renderedBytes]),
    findings: [
      ...[...content.findings, ...opened.findings, ...parts.findings],
      ...[...findings, ...ofModules, ...(blamed ?? [])],
    ],
  };
}

function readDocuments(
  { secrets, userData }: DatasourceContent,
  blamed: readonly Finding[] | undefined,
): Documents {
  const document = (name: string, about: Partial<RawDocument> = {}) => {
    const bytes = secrets.get(name)?.reveal();
    return bytes === undefined ? undefined : { document: name, ...about, bytes };
  };
  const own = {
    userData: document(rawDocuments.userData, userData),
    networkConfig: document(rawDocuments.networkConfig),
  };
  if (blamed !== undefined) return own;
  return {
    ...own,
    vendorData: document(rawDocuments.vendorData),
    vendorData2: document(rawDocuments.vendorData2),
  };
}
