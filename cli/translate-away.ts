import { checkModules } from "#agent/check-modules.ts";
import { defaultUserName } from "#agent/default-user.ts";
import type { Finding } from "#core/finding.ts";
import type { Io } from "#core/io.ts";
import { isSourceAddress, namedSources } from "#provisioner/userdata/referenced-sources.ts";
import type { Trust } from "#provisioner/userdata/signed/open-signed.ts";
import { signedBytes } from "#provisioner/userdata/signed/signed-form.ts";
import { findSignedTemplate } from "#provisioner/userdata/signed/signed-template.ts";
import { type Documents, translate } from "#provisioner/userdata/translate.ts";
import type { Translation, TranslationContext } from "#provisioner/userdata/translation.ts";
import { moduleParser } from "./module-parser.ts";

/**
 * As {@link translateAway}; modules of NixOS are parsed as well, where this machine has Nix.
 */
export async function translateHere(
  io: Io,
  ...given: Parameters<typeof translateAway>
): Promise<Translation> {
  const translation = await translateAway(...given);
  if ((translation.spec.modules ?? []).length === 0) return translation;
  const findings = await checkModules(translation, moduleParser(io));
  return { ...translation, findings: [...translation.findings, ...findings] };
}

/** What is said beside the documents. */
export interface Given extends Pick<TranslationContext, "secrets">, Partial<TranslationContext> {
  /** Public keys whose signatures count. */
  readonly signers: readonly string[];
  readonly instanceId?: string;
}

/**
 * Translates documents away from their node: of an address in them only the form is judged, because
 * the node is who reads it. Of user-data that is signed it is said by whom.
 */
export async function translateAway(
  all: Documents,
  { signers, instanceId, ...context }: Given,
): Promise<Translation> {
  const opened = await openSignedAway(all, { signers, instanceId });
  const { documents, isSigned, findings: ofSignature } = opened;
  const translation = translate(documents, {
    ...{ hostname: null, publicKeys: [], defaultUser: defaultUserName, fetched: new Map() },
    ...{ ...context, isSigned },
  });
  const known = { fetched: new Map(), isSigned };
  const sources = new Map(
    namedSources(documents, known).map(({ path, address }) => [path.join("."), address]),
  );
  const findings = translation.findings.map((finding): Finding => {
    if (finding.code === "user-data/include-unread") {
      const message = finding.message.replace("was not read", "is read on the node only");
      const hint = "nothing of it is in what is shown here; look at the document itself";
      return { ...finding, level: "warning", message, hint };
    }
    if (finding.code !== "cloud-config/source-unavailable") return finding;
    return { ...finding, ...wordsOf(sources.get(finding.path) ?? "") };
  });
  return { ...translation, findings: [...ofSignature, ...findings] };
}

interface OpenedAway {
  readonly documents: Documents;
  /** Whether a signature counts. */
  readonly isSigned: boolean;
  readonly findings: readonly Finding[];
}

async function openSignedAway(documents: Documents, trust: Trust): Promise<OpenedAway> {
  const { userData } = documents;
  const bytes = userData === undefined ? undefined : signedBytes(userData.bytes);
  if (userData === undefined || bytes === undefined)
    return { documents, isSigned: false, findings: [] };
  const { openSigned, tellSignature } = await import("#provisioner/userdata/signed/open-signed.ts");
  const { document, signature, findings } = openSigned(userData, bytes, trust);
  if (signature === undefined)
    return { documents: { ...documents, userData: document }, isSigned: false, findings };
  const template = findSignedTemplate(document);
  const text = template.length === 0 ? document : undefined;
  const told = tellSignature(userData, signature);
  return {
    documents: { ...documents, userData: text },
    isSigned: true,
    findings: [...findings, told, ...template],
  };
}

function wordsOf(address: string): Partial<Finding> {
  const hint = "name an address that begins with http:, https: or data:";
  if (!isSourceAddress(address)) return { message: "the node cannot read this address", hint };
  const message =
    "the address is read on the node only; what it holds is not in what is shown here";
  return { level: "note", code: "cloud-config/source-on-node", message, hint: null };
}
