import { adviceOf } from "#core/advice.ts";
import { type Fault, isFault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import { Secret, type SecretBag } from "#core/secret.ts";
import { envelopeForm } from "#provisioner/userdata/envelope-form.ts";
import { findDoubtfulHashes } from "#provisioner/userdata/password-hash.ts";
import { secretsDocument } from "#provisioner/userdata/settle-secrets.ts";
import type { Documents } from "#provisioner/userdata/translate.ts";
import type { RawDocument, Translation } from "#provisioner/userdata/translation.ts";
import type { OpenEnvelope } from "./secrets/envelope-opener.ts";

/**
 * Opens documents that are age envelopes as a whole; their text is in memory only. One that cannot be
 * opened is left out, with an error.
 */
export async function openDocuments(
  documents: Documents,
  open: OpenEnvelope,
): Promise<{ readonly documents: Documents; readonly findings: readonly Finding[] }> {
  const findings: Finding[] = [];
  const opened = async (raw: RawDocument | undefined): Promise<RawDocument | undefined> => {
    if (raw === undefined || envelopeForm(raw.bytes) === undefined) return raw;
    const bytes = await open(raw.bytes).catch(faultOf);
    if (bytes instanceof Uint8Array) return { ...raw, bytes };
    const { document } = raw;
    findings.push({ document, path: "", line: null, column: null, ...wordsOf(bytes) });
    return undefined;
  };
  const { userData, networkConfig } = documents;
  const both = { userData: await opened(userData), networkConfig: await opened(networkConfig) };
  return { documents: { ...documents, ...both }, findings };
}

/** Opens the named secrets that are age envelopes; an error stands where one cannot be opened. */
export async function openSecrets(
  translation: Translation,
  open: OpenEnvelope,
): Promise<Pick<Translation, "secrets" | "findings">> {
  const secrets = new Map(translation.secrets);
  const findings = [...translation.findings];
  for (const name of Object.keys(translation.spec.secrets ?? {})) {
    const sealed = secrets.get(name)?.reveal();
    if (sealed === undefined || envelopeForm(sealed) === undefined) continue;
    const bytes = await open(sealed).catch(faultOf);
    if (bytes instanceof Uint8Array) secrets.set(name, new Secret(bytes));
    else findings.push({ ...placeOf(name, translation), ...wordsOf(bytes) });
  }
  findings.push(...doubtfulHashes(translation, secrets));
  return { secrets, findings };
}

/** Of a hash that was sealed it shows only now whether it is one. */
function doubtfulHashes({ spec, origins }: Translation, secrets: SecretBag): readonly Finding[] {
  const originOf = (path: readonly string[]) => origins.get(path.join("."));
  return findDoubtfulHashes(spec, { secrets, originOf }).map(({ finding }) => finding);
}

function placeOf(
  name: string,
  { origins }: Translation,
): Pick<Finding, "document" | "path" | "line" | "column"> {
  const path = `secrets.${name}`;
  const origin = origins.get(path);
  return origin === undefined
    ? { document: secretsDocument, path: name, line: null, column: null }
    : { path, ...origin };
}

function wordsOf(fault: Fault): Pick<Finding, "level" | "code" | "message" | "hint"> {
  const { code, message, hint = null } = fault;
  return { level: "error", code, message, hint: adviceOf({ code, hint }) };
}

function faultOf(error: unknown): Fault {
  if (isFault(error)) return error;
  throw error;
}
