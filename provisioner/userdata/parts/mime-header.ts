import { latin1Bytes } from "./latin1.ts";
import { type MimeParameters, readParameters } from "./mime-parameters.ts";

/** A field of a header, in the order of the message. */
export interface MimeField {
  readonly name: string;
  /** Folded lines are joined and nothing more, as Python's `email.policy.compat32` does. */
  readonly value: string;
  readonly line: number;
}

/** The header of one part of a message. */
export class MimeHeader {
  readonly fields: readonly MimeField[];

  constructor(fields: readonly MimeField[]) {
    this.fields = fields;
  }

  /** The first field of a name, in any case. */
  field(name: string): MimeField | undefined {
    const wanted = name.toLowerCase();
    return this.fields.find((field) => field.name.toLowerCase() === wanted);
  }

  /** `type/subtype` in small letters; the default where there is none, `text/plain` where it is none. */
  contentType(byDefault: string): string {
    const field = this.field("content-type");
    if (field === undefined) return byDefault;
    const [type = ""] = field.value.split(";", 1);
    const clean = type.trim().toLowerCase();
    return clean.split("/").length === 2 ? clean : "text/plain";
  }

  /** The boundary of a multipart; blanks at its end are no part of it. */
  boundary(): string | undefined {
    return this.#parameters("content-type")?.text("boundary")?.trimEnd();
  }

  /** Name of the file that a part is, by RFC 2183, else by the older `name`; RFC 2231 is decoded. */
  filename(): string | undefined {
    const text =
      this.#parameters("content-disposition")?.text("filename") ??
      this.#parameters("content-type")?.text("name");
    return text?.trim();
  }

  /** The charset that a part says that it is in. */
  charset(): string | undefined {
    return this.#parameters("content-type")?.text("charset")?.trim().toLowerCase();
  }

  /** `content-transfer-encoding` or another field of one word, in small letters. */
  word(name: string): string | undefined {
    return this.field(name)?.value.trim().toLowerCase();
  }

  #parameters(name: string): MimeParameters | undefined {
    const value = this.field(name)?.value;
    return value === undefined ? undefined : readParameters(value);
  }
}

/** A value as text: UTF-8 where it is that, else each byte by itself. */
export function headerText(value: string): string {
  const bytes = latin1Bytes(value);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return value.replace(/[\x80-\xff]/g, "\ufffd");
  }
}
