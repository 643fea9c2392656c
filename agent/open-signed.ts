import { adviceOf } from "#core/advice.ts";
import type { Code } from "#core/codes.ts";
import { Fault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { Signature } from "#provisioner/userdata/signed/open-signed.ts";
import { signedBytes } from "#provisioner/userdata/signed/signed-form.ts";
import { findSignedTemplate } from "#provisioner/userdata/signed/signed-template.ts";
import type { Documents } from "#provisioner/userdata/translate.ts";
import type { RawDocument } from "#provisioner/userdata/translation.ts";
import { openDocuments } from "./open-sealed.ts";
import type { OpenEnvelope } from "./secrets/envelope-opener.ts";
import { settingsFile } from "./settings.ts";

/** What opens documents, and what of their signatures counts. */
export interface Opening {
  readonly openEnvelope: OpenEnvelope;
  readonly userData: Settings["userData"];
  readonly instanceId: string;
}

/** Documents in plain text, and who signed the user-data. */
export interface Opened {
  readonly documents: Documents;
  /** Absent where no signature counts. */
  readonly signature: Signature | undefined;
  readonly findings: readonly Finding[];
}

/** Whether user-data counts only where it is signed. */
export function mustBeSigned({ userData }: Pick<Settings, "userData">): boolean {
  return userData?.signature === "required";
}

/**
 * Opens documents that are sealed, and takes the text out of user-data that is signed: a signed text may
 * be sealed, and what is signed may have been sealed before. One that cannot be opened, or must be signed
 * and is not, is left out, with an error. Throws `settings/invalid` where a signer of the settings is none.
 */
export async function openSignedAndSealed(documents: Documents, how: Opening): Promise<Opened> {
  const sealed = await openDocuments(documents, how.openEnvelope);
  const outer = sealed.documents.userData;
  if (documents.userData !== undefined && outer === undefined)
    return { ...sealed, signature: undefined };
  const { document, signature, findings } = await openSigned(outer, how);
  const all = [...sealed.findings, ...findings];
  if (document === outer) return { documents: sealed.documents, signature, findings: all };
  const inner = await openDocuments({ userData: document }, how.openEnvelope);
  const { userData } = inner.documents;
  const template = signature === undefined ? [] : findSignedTemplate(userData);
  return {
    documents: { ...sealed.documents, userData: template.length === 0 ? userData : undefined },
    signature,
    findings: [...all, ...inner.findings, ...template],
  };
}

interface OpenedSigned {
  readonly document: RawDocument | undefined;
  readonly signature?: Signature | undefined;
  readonly findings: readonly Finding[];
}

/** What reads signatures is loaded with the first. */
async function openSigned(raw: RawDocument | undefined, how: Opening): Promise<OpenedSigned> {
  const { signers = [], signature: demand } = how.userData ?? {};
  if (demand === "required" && signers.length === 0)
    throw settingsFault("signers: expected a key, because `signature` is `required`");
  const bytes = raw === undefined ? undefined : signedBytes(raw.bytes);
  if (raw === undefined || bytes === undefined)
    return demand === "required"
      ? { document: undefined, findings: [unsigned(raw)] }
      : { document: raw, findings: [] };
  const { findNoSigner, openSigned: open } = await import(
    "#provisioner/userdata/signed/open-signed.ts"
  );
  const wrong = findNoSigner(signers);
  if (wrong !== undefined)
    throw settingsFault(
      `signers.${wrong}: expected a public key that can sign, as a .pub file has it`,
    );
  return open(raw, bytes, { signers, instanceId: how.instanceId });
}

function unsigned(raw: RawDocument | undefined): Finding {
  const code = "user-data/unsigned";
  return raw === undefined
    ? errorAt("user-data", null, { code, message: "expected signed user-data, and there is none" })
    : errorAt(raw.document, 1, {
        code,
        message: "expected signed user-data, and it is not signed",
      });
}

function errorAt(
  document: string,
  line: number | null,
  { code, message }: { readonly code: Code; readonly message: string },
): Finding {
  const place = { document, path: "", line, column: line === null ? null : 1 };
  return { ...place, level: "error", code, message, hint: adviceOf({ code, hint: null }) };
}

function settingsFault(said: string): Fault {
  return new Fault("settings/invalid", `${settingsFile}: userData.${said}`);
}
