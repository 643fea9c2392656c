import { adviceOf } from "#core/advice.ts";
import type { Finding } from "#core/finding.ts";
import type { RawDocument } from "../translation.ts";
import { decodeUserData, sniff } from "../user-data-format.ts";

/** An error where a text that was signed is a template: nobody can have signed what it is rendered to. */
export function findSignedTemplate(raw: RawDocument | undefined): readonly Finding[] {
  const text = raw === undefined ? undefined : decodeUserData(raw).text;
  if (raw === undefined || text === undefined || sniff(text) !== "jinja") return [];
  const line = text.slice(0, text.length - text.trimStart().length).split("\n").length;
  const code = "user-data/signed-template";
  const message = "the text that is signed is a template, and what it comes to is not signed";
  const place = { document: raw.document, path: "", line, column: 1 };
  return [{ ...place, level: "error", code, message, hint: adviceOf({ code, hint: null }) }];
}
