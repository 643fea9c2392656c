import { Fault } from "#core/fault.ts";

/** What a cloud says of a machine. */
export type CloudDocument = Readonly<Record<string, unknown>>;

/** A document from its bytes. Throws `enroll/document-invalid`. */
export function documentFrom(content: Uint8Array): CloudDocument {
  try {
    const value: unknown = JSON.parse(Buffer.from(content).toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as CloudDocument;
  } catch {
    // said below
  }
  throw new Fault("enroll/document-invalid", "the document of the cloud is no JSON object");
}

/** A text of a document. Throws `enroll/document-invalid`. */
export function requireText(document: CloudDocument, key: string): string {
  const value = document[key];
  if (typeof value === "string" && value !== "" && value.length <= 256) return value;
  throw new Fault("enroll/document-invalid", `the document of the cloud does not say ${key}`);
}
