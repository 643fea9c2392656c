import type { Settings } from "#generated/agent/settings.ts";
import { referencedSources } from "#provisioner/userdata/referenced-sources.ts";
import { type Documents, translate } from "#provisioner/userdata/translate.ts";
import type { RawDocument, Translation } from "#provisioner/userdata/translation.ts";
import { type DatasourceContent, rawDocuments } from "./datasources/datasource.ts";
import { givenSecrets } from "./datasources/given-secrets.ts";
import { defaultUserName } from "./default-user.ts";
import { openDocuments, openSecrets } from "./open-sealed.ts";
import { type RenderTemplate, renderDocuments } from "./render-documents.ts";
import type { OpenEnvelope } from "./secrets/envelope-opener.ts";

/** Reads addresses that a document names; absent ones could not be read. */
export type FetchSources = (urls: readonly string[]) => Promise<ReadonlyMap<string, Uint8Array>>;

/** What reading documents takes beside them. */
export interface ResolveTools {
  readonly fetchSources: FetchSources;
  readonly openEnvelope: OpenEnvelope;
  /** Without it a template is a format that is not read. */
  readonly renderTemplate?: RenderTemplate;
}

/** A translation, and what was read for it beside the documents. */
export interface Resolution extends Translation {
  /** By address; a template's text, once rendered, by the name of its document. */
  readonly fetched: ReadonlyMap<string, Uint8Array>;
}

/** What a datasource says -> one validated spec, its secrets beside it. Never throws for bad input. */
export async function resolveSpec(
  content: DatasourceContent,
  settings: Settings,
  { fetchSources, openEnvelope, renderTemplate }: ResolveTools,
): Promise<Resolution> {
  const opened = await openDocuments(readDocuments(content), openEnvelope);
  const { documents, findings: unrendered } =
    renderTemplate === undefined
      ? { documents: opened.documents, findings: [] }
      : await renderDocuments(opened.documents, content.instance, renderTemplate);
  const urls = referencedSources(documents);
  const fetched = urls.length === 0 ? new Map<string, Uint8Array>() : await fetchSources(urls);
  const translation = translate(documents, {
    hostname: content.instance.hostname,
    publicKeys: content.instance.publicKeys,
    instanceId: content.instance.instanceId,
    datasource: content.instance.datasource.name,
    defaultUser: settings.defaultUser ?? defaultUserName,
    fetched,
    secrets: givenSecrets(content),
  });
  const { secrets, findings } = await openSecrets(translation, openEnvelope);
  const { userData } = documents;
  const rendered = userData === opened.documents.userData ? undefined : userData;
  return {
    ...{ ...translation, secrets },
    fetched:
      rendered === undefined ? fetched : new Map([...fetched, [rendered.document, rendered.bytes]]),
    findings: [...content.findings, ...opened.findings, ...unrendered, ...findings],
  };
}

function readDocuments({ secrets, userData }: DatasourceContent): Documents {
  const document = (name: string, about: Partial<RawDocument> = {}) => {
    const bytes = secrets.get(name)?.reveal();
    return bytes === undefined ? undefined : { document: name, ...about, bytes };
  };
  return {
    userData: document(rawDocuments.userData, userData),
    vendorData: document(rawDocuments.vendorData),
    networkConfig: document(rawDocuments.networkConfig),
  };
}
