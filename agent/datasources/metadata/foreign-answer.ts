import { Fault } from "#core/fault.ts";

/**
 * Somebody stands between: a portal that wants a login, a proxy, a machine that only pretends. That may
 * be another tomorrow, so it is no fault of the machine's input.
 */
export class ForeignAnswer extends Fault<"datasource/unreachable"> {
  constructor(place: string, problem: string) {
    super("datasource/unreachable", `${place}: ${problem}, which is no metadata`, {
      hint: "something answers in the place of the metadata service: look at the network between",
    });
  }
}

/** What is looked at of a document. */
const mostBytes = 4_096;
/** What may stand before the first element: a byte order mark, a declaration of XML, comments. */
const prologue = /^(?:\ufeff|\s|<\?[^>]*>|<!--[\s\S]*?-->)+/;
/** A page often leaves out what it may. */
const pageElement = /^<(?:!doctype\s+html|html|head|body|script|meta|title|link|style)(?![\w.:-])/i;

/**
 * Why a document is none that a service has said, `undefined` where it may be one. Where `markup` may
 * come only a page of HTML is none. `<<` begins a merge of YAML.
 */
export function foreignDocument(bytes: Uint8Array, markup = false): string | undefined {
  const start = startOf(bytes);
  if (pageElement.test(start.replace(prologue, ""))) return "a page of HTML came";
  return !markup && /^[\ufeff\s]*<(?!<)/.test(start) ? "markup (HTML, XML) came" : undefined;
}

function startOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, mostBytes)).toString("utf8");
}
