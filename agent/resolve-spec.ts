import { adviceOf } from "#core/advice.ts";
import { counted } from "#core/count.ts";
import type { Finding } from "#core/finding.ts";
import type { Settings } from "#generated/agent/settings.ts";
import { referencedSources } from "#provisioner/userdata/referenced-sources.ts";
import type { Signature } from "#provisioner/userdata/signed/open-signed.ts";
import { type Documents, translate } from "#provisioner/userdata/translate.ts";
import type { RawDocument, Translation } from "#provisioner/userdata/translation.ts";
import { type DatasourceContent, rawDocuments } from "./datasources/datasource.ts";
import { givenSecrets } from "./datasources/given-secrets.ts";
import { defaultUserName } from "./default-user.ts";
import { openSecrets } from "./open-sealed.ts";
import { mustBeSigned, openSignedAndSealed } from "./open-signed.ts";
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
  /** Of the user-data, where one counts. */
  readonly signature: Signature | undefined;
}

/** What a datasource says -> one validated spec, its secrets beside it. Never throws for bad input. */
export async function resolveSpec(
  content: DatasourceContent,
  settings: Settings,
  { fetchSources, openEnvelope, renderTemplate }: ResolveTools,
): Promise<Resolution> {
  const { instanceId, publicKeys, hostname } = content.instance;
  const opened = await openSignedAndSealed(readDocuments(content), {
    ...{ openEnvelope, instanceId },
    userData: settings.userData,
  });
  const { documents, findings: unrendered } =
    renderTemplate === undefined
      ? { documents: opened.documents, findings: [] }
      : await renderDocuments(opened.documents, content.instance, renderTemplate);
  const urls = referencedSources(documents);
  const fetched = urls.length === 0 ? new Map<string, Uint8Array>() : await fetchSources(urls);
  const translation = translate(documents, {
    hostname,
    publicKeys: mustBeSigned(settings) ? [] : publicKeys,
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
    signature: opened.signature,
    findings: [
      ...content.findings,
      ...opened.findings,
      ...(mustBeSigned(settings) ? passOverKeys(publicKeys) : []),
      ...unrendered,
      ...findings,
    ],
  };
}

/** Of keys that nobody signed. */
function passOverKeys(keys: readonly string[]): readonly Finding[] {
  if (keys.length === 0) return [];
  const code = "user-data/unsigned-keys";
  const message = `${counted(keys.length, "ssh key")} of the meta-data: not signed, and not used`;
  const nowhere = { document: "meta-data", path: "", line: null, column: null } as const;
  return [{ ...nowhere, level: "note", code, message, hint: adviceOf({ code, hint: null }) }];
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
