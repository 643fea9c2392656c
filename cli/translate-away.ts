import { defaultUserName } from "#agent/default-user.ts";
import type { Finding } from "#core/finding.ts";
import { isSourceAddress, namedSources } from "#provisioner/userdata/referenced-sources.ts";
import { type Documents, translate } from "#provisioner/userdata/translate.ts";
import type { Translation, TranslationContext } from "#provisioner/userdata/translation.ts";

/**
 * Translates documents away from their node: of an address in them only the form is judged, because
 * the node is who reads it.
 */
export function translateAway(
  documents: Documents,
  given: Pick<TranslationContext, "secrets"> & Partial<TranslationContext>,
): Translation {
  const translation = translate(documents, {
    ...{ hostname: null, publicKeys: [], defaultUser: defaultUserName, fetched: new Map() },
    ...given,
  });
  const sources = new Map(
    namedSources(documents).map(({ path, address }) => [path.join("."), address]),
  );
  const findings = translation.findings.map((finding): Finding => {
    if (finding.code !== "cloud-config/source-unavailable") return finding;
    return { ...finding, ...wordsOf(sources.get(finding.path) ?? "") };
  });
  return { ...translation, findings };
}

function wordsOf(address: string): Partial<Finding> {
  const hint = "name an address that begins with http:, https: or data:";
  if (!isSourceAddress(address)) return { message: "the node cannot read this address", hint };
  const message =
    "the address is read on the node only; what it holds is not in what is shown here";
  return { level: "note", code: "cloud-config/source-on-node", message, hint: null };
}
