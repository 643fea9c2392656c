import { createHash } from "node:crypto";
import { adviceOf } from "#core/advice.ts";
import type { Code } from "#core/codes.ts";
import { type Finding, shownKey } from "#core/finding.ts";
import { envelopeForm } from "../envelope-form.ts";
import type { RawDocument } from "../translation.ts";
import { readSignedDocument, SignatureFault, type SignedDocument } from "./signed-document.ts";
import { readNamespace, type SignedFor, signatureNamespace } from "./signed-for.ts";
import { fingerprintOf, readKeyLine } from "./ssh-public-key.ts";

/** A signature that counts. */
export interface Signature extends SignedFor {
  /** Who made it, for a person: the comment of the key, and its fingerprint. */
  readonly signer: string;
  /** Another signature has another one, also of the same text. */
  readonly id: string;
}

/** Whose signatures count. */
export interface Trust {
  /** Lines of public keys; with none nothing is trusted, and a signature is only read. */
  readonly signers: readonly string[];
  /** The instance that the document came to, where that is known. */
  readonly instanceId?: string | undefined;
}

/** What became of a signed document. */
export interface OpenedSigned {
  /** Its text, with empty lines before it, so that lines are those of the document; absent after an error. */
  readonly document: RawDocument | undefined;
  /** Absent where nobody is known whose signature would count. */
  readonly signature?: Signature;
  readonly findings: readonly Finding[];
}

/**
 * Takes the text out of a document that is signed as a whole, where its signature is one of that text,
 * by a key that is trusted and for this purpose. `bytes` are what `signedBytes` says of the document.
 */
export function openSigned(raw: RawDocument, bytes: Uint8Array, trust: Trust): OpenedSigned {
  let signed: SignedDocument;
  try {
    signed = readSignedDocument(bytes);
  } catch (error) {
    if (!(error instanceof SignatureFault)) throw error;
    const { code, line, message, hint } = error;
    return { document: undefined, findings: [findingAt(raw, line, { code, message, hint })] };
  }
  const problem = findProblem(signed, trust);
  if (problem !== undefined)
    return { document: undefined, findings: [findingAt(raw, signed.line, problem)] };
  const document = { ...raw, bytes: keepLines(signed) };
  const known = findSigner(signed, trust);
  const about = readNamespace(signed.signature.namespace);
  if (known === undefined || about === undefined) {
    const by = fingerprintOf(signed.signature.publicKey);
    const message = `the document is whole and signed by ${by}; nobody is named whose signature would count`;
    const unchecked = { code: "user-data/signature-unchecked", message } as const;
    return { document, findings: [findingAt(raw, signed.line, unchecked, "note")] };
  }
  const id = createHash("sha256").update(signed.signatureBytes).digest("hex");
  return { document, findings: [], signature: { ...about, signer: known, id } };
}

/** A note that says who signed a document, and for what. */
export function tellSignature(raw: RawDocument, signature: Signature): Finding {
  const { signer, serial, instanceId } = signature;
  const words = [
    ...(serial === null ? [] : [`with the serial ${serial}`]),
    ...(instanceId === null ? [] : [`for the instance ${shown(instanceId)}`]),
  ];
  const message = [`signed by ${signer}`, ...words].join(", ");
  return findingAt(raw, 1, { code: "user-data/signed-by", message }, "note");
}

/** Which of these lines is no public key that can sign, if one is. */
export function findNoSigner(signers: readonly string[]): number | undefined {
  const wrong = signers.findIndex((line) => readKeyLine(line) === undefined);
  return wrong === -1 ? undefined : wrong;
}

interface Problem {
  readonly code: Code;
  readonly message: string;
  /** What its code says where it is absent. */
  readonly hint?: string | undefined;
}

function findProblem(signed: SignedDocument, trust: Trust): Problem | undefined {
  const { signature, text } = signed;
  if (!signature.fits(text))
    return {
      code: "user-data/signature-wrong",
      message: "the text is not what was signed",
      hint: whatHappened(signed),
    };
  const about = readNamespace(signature.namespace);
  if (about === undefined)
    return {
      code: "user-data/signature-foreign",
      message: `the signature is for ${shown(signature.namespace)}, and not for user-data of this kind`,
      hint: `sign it with \`-n ${signatureNamespace}\`, or with \`-n ${signatureNamespace},serial=N\``,
    };
  if (trust.signers.length > 0 && findSigner(signed, trust) === undefined)
    return {
      code: "user-data/signature-foreign",
      message: `the document is signed by ${fingerprintOf(signature.publicKey)}, which is none of the keys that count here`,
    };
  const { instanceId } = about;
  if (instanceId === null || trust.instanceId === undefined || instanceId === trust.instanceId)
    return undefined;
  return {
    code: "user-data/signature-foreign",
    message: `the signature is for the instance ${shown(instanceId)}, and this is ${shown(trust.instanceId)}`,
    hint: "sign the document for this instance, or for every one: without `instance-id`",
  };
}

/** Of a text that is not what was signed: what was done to it on the way, where that can be told. */
function whatHappened({ signature, text, hasCarriageReturns }: SignedDocument): string | undefined {
  const buffer = Buffer.from(text);
  const plain = () => Buffer.from(buffer.toString("latin1").replaceAll("\r\n", "\n"), "latin1");
  if (signature.fits(Buffer.concat([buffer, Buffer.from("\n")])))
    return "the newline at its end was lost on the way: give the file as it is";
  if (hasCarriageReturns && signature.fits(plain()))
    return "its ends of lines were changed to those of Windows: give the file as it is";
  if (signature.fits(buffer.subarray(0, trimmedEnd(buffer))))
    return "something was added at its end on the way: give the file as it is";
  return undefined;
}

function trimmedEnd(buffer: Buffer): number {
  let end = buffer.length;
  while (end > 0 && [0x20, 0x09, 0x0a, 0x0d].includes(buffer[end - 1] ?? 0)) end -= 1;
  return buffer[end] === 0x0a ? end + 1 : end;
}

/** The name of the trusted key that made the signature. */
function findSigner({ signature }: SignedDocument, { signers }: Trust): string | undefined {
  const key = signers
    .map(readKeyLine)
    .find((line) => line !== undefined && Buffer.compare(line.blob, signature.publicKey) === 0);
  if (key === undefined) return undefined;
  const fingerprint = fingerprintOf(key.blob);
  return key.comment === "" ? fingerprint : `${key.comment} (${fingerprint})`;
}

/** What is no text of its own (an envelope, gzip) stays as it is. */
function keepLines({ text, linesBefore }: SignedDocument): Uint8Array {
  const isGzip = text[0] === 0x1f && text[1] === 0x8b;
  if (isGzip || envelopeForm(text) !== undefined) return text;
  const hasMark = text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf;
  return Buffer.concat([Buffer.alloc(linesBefore, "\n"), text.subarray(hasMark ? 3 : 0)]);
}

function shown(text: string): string {
  return JSON.stringify(shownKey(text));
}

function findingAt(
  { document }: RawDocument,
  line: number,
  { code, message, hint }: Problem,
  level: Finding["level"] = "error",
): Finding {
  const place = { document, path: "", line, column: 1 };
  return { ...place, level, code, message, hint: adviceOf({ code, hint: hint ?? null }) };
}
