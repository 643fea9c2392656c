import { adviceOf } from "#core/advice.ts";
import { counted } from "#core/count.ts";
import type { Finding } from "#core/finding.ts";
import type { Settings } from "#generated/agent/settings.ts";
import { referencedSources } from "#provisioner/userdata/referenced-sources.ts";
import type { Signature } from "#provisioner/userdata/signed/open-signed.ts";
import { type Documents, translate } from "#provisioner/userdata/translate.ts";
import type { RawDocument, Translation } from "#provisioner/userdata/translation.ts";
import { checkModules, type ParseModule } from "./check-modules.ts";
import { type DatasourceContent, rawDocuments } from "./datasources/datasource.ts";
import { givenSecrets } from "./datasources/given-secrets.ts";
import { defaultUserName } from "./default-user.ts";
import { launchIndexOf } from "./launch-index.ts";
import { openSecrets } from "./open-sealed.ts";
import { mustBeSigned, openSignedAndSealed } from "./open-signed.ts";
import { type ReadPartsTools, readParts } from "./read-parts.ts";
import { mostOfFiles, ReadingLimits } from "./reading-limits.ts";
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
  /** By address; what a template came to, by the name of its document or the digest of its text. */
  readonly fetched: ReadonlyMap<string, Uint8Array>;
  /** Those addresses that signed user-data names. */
  readonly signedAddresses: ReadonlySet<string>;
  /** By which of the machines that were started together parts were chosen; `null` where none was. */
  readonly launchIndex: number | null;
  /** Of the user-data, where one counts. */
  readonly signature: Signature | undefined;
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
  const required = mustBeSigned(settings);
  const isRelease = content.release !== undefined;
  const raw = readDocuments(content, blamed);
  const opened = await openSignedAndSealed(required ? withoutVendor(raw) : raw, {
    ...{ openEnvelope, instanceId: instance.instanceId },
    // A release is signed as the fleet signs, and was verified when it came.
    userData: isRelease ? {} : settings.userData,
  });
  const { documents, signature } = opened;
  const parts = await readParts(documents, instance, {
    ...given,
    isSigned: signature !== undefined || isRelease,
  });
  const { rendered } = parts;
  const launchIndex = launchIndexOf(instance.metaData);
  const known = { rendered, launchIndex, isSigned: signature !== undefined || isRelease };
  const sources = referencedSources(documents, { ...known, fetched: parts.fetched });
  const urls = sources.addresses;
  const limits = new ReadingLimits(tools.clock, mostOfFiles);
  const files = urls.length === 0 ? [] : await tools.fetchSources(urls, { limits });
  const fetched = new Map([...parts.fetched, ...files]);
  const translation = translate(documents, {
    hostname: instance.hostname,
    publicKeys: required ? [] : instance.publicKeys,
    instanceId: instance.instanceId,
    datasource: instance.datasource.name,
    defaultUser: settings.defaultUser ?? defaultUserName,
    ...{ ...known, fetched, beyondLimits: limits.beyond },
    nixModules: settings.userData?.nixModules ?? false,
    vendorFirstlight: settings.userData?.vendorFirstlight,
    secrets: givenSecrets(content),
  });
  const { secrets, findings } = await openSecrets(translation, openEnvelope);
  const ofModules = parseModule === undefined ? [] : await checkModules(translation, parseModule);
  return {
    ...{ ...translation, secrets },
    fetched: new Map([...fetched, ...parts.renderedBytes]),
    signedAddresses: new Set([...parts.signedAddresses, ...sources.signed]),
    launchIndex: parts.isByLaunchIndex ? launchIndex : null,
    signature,
    findings: [
      ...[...content.findings, ...opened.findings],
      ...(required ? [...passOverKeys(instance.publicKeys), ...passOverVendor(raw)] : []),
      ...[...parts.findings, ...findings, ...ofModules, ...(blamed ?? [])],
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

function withoutVendor({ userData, networkConfig }: Documents): Documents {
  return { userData, networkConfig };
}

/** Of vendor-data, which nobody signed either. */
function passOverVendor({ vendorData, vendorData2 }: Documents): readonly Finding[] {
  const code = "user-data/vendor-data";
  const message = "vendor-data is not signed, and not used";
  return [vendorData, vendorData2]
    .filter((raw) => raw !== undefined && raw.bytes.length > 0)
    .map((raw) => ({
      ...{ document: raw?.document ?? "vendor-data", path: "", line: 1, column: 1 },
      ...{ level: "note", code, message, hint: adviceOf({ code, hint: null }) },
    }));
}

function readDocuments(
  { secrets, userData, network }: DatasourceContent,
  blamed: readonly Finding[] | undefined,
): Documents {
  const document = (name: string, about: Partial<RawDocument> = {}) => {
    const bytes = secrets.get(name)?.reveal();
    return bytes === undefined ? undefined : { document: name, ...about, bytes };
  };
  const own = {
    userData: document(rawDocuments.userData, userData),
    networkConfig: document(rawDocuments.networkConfig, network),
  };
  if (blamed !== undefined) return own;
  return {
    ...own,
    vendorData: document(rawDocuments.vendorData),
    vendorData2: document(rawDocuments.vendorData2),
  };
}
