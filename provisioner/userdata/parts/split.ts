import type { Finding } from "#core/finding.ts";
import type { RawDocument } from "../translation.ts";
import { isGzip, maxBytes, notUtf8, sniff, unpackDocument } from "../user-data-format.ts";
import { contentsOfArchive } from "./archive-contents.ts";
import type { Content, ContentPlace } from "./content.ts";
import { findMessage, openDocument } from "./document-bytes.ts";
import { AddressNames, readIncludeLines } from "./include-lines.ts";
import { launchIndexOf } from "./launch-index.ts";
import { type Contents, contentsOfMessage } from "./message-contents.ts";
import { type MimeMessage, readMessage } from "./mime-message.ts";
import type { PartFormat, TemplatePart, UserDataPart, WantedInclude } from "./part.ts";
import { isScript, kindOf } from "./part-format.ts";
import { noHeader } from "./part-header.ts";
import { readText } from "./part-text.ts";
import { SplitBudget } from "./split-budget.ts";
import {
  findingAt,
  includeProblems,
  packingProblems,
  partProblems,
  type Said,
  unreadInclude,
  unreadPart,
} from "./split-findings.ts";
import { templateIn } from "./template-part.ts";

/** Archives in archives, and documents that name documents. */
const maxDepth = 10;

/** What was read and rendered for a document beforehand. */
export interface SplitContext {
  /** Documents behind addresses. */
  readonly fetched: ReadonlyMap<string, Uint8Array>;
  /** What templates were rendered to, by {@link TemplatePart.template}; `null` where that was no use. */
  readonly rendered?: ReadonlyMap<string, string | null>;
  /** Which of the machines that were started together this is; parts for another are left out. */
  readonly launchIndex?: number | null;
  /** Whether somebody signed the user-data: nothing in it may be up to those who did not. */
  readonly isSigned?: boolean;
  /** Names that other documents have: what is included is not called the same. */
  readonly takenNames?: ReadonlySet<string>;
}

/** The parts of a document, and what has to be read or rendered before it has all of them. */
export interface SplitUserData {
  readonly parts: readonly UserDataPart[];
  readonly findings: readonly Finding[];
  /** Documents that it names and that are not among `fetched`; each has an error, too. */
  readonly includes: readonly WantedInclude[];
  /** Templates that are not among `rendered`; each has an error, too. */
  readonly templates: readonly TemplatePart[];
  /** Names of all that was looked at, as findings name it, in order. */
  readonly documents: readonly string[];
  /** Whether a part says for which of the machines that were started together it is. */
  readonly isByLaunchIndex: boolean;
}

/**
 * Takes a document apart as cloud-init's `UserDataProcessor` does: packed, encoded, a message with parts,
 * an archive, or a list of others. Pure: what is to be fetched and rendered is said, and given with the
 * next call. Never throws for bad input.
 */
export function splitUserData(raw: RawDocument, context: SplitContext): SplitUserData {
  const splitter = new Splitter(context);
  splitter.document(raw, []);
  const { parts, findings, includes, templates, documents, isByLaunchIndex } = splitter;
  return { parts, findings, includes, templates, documents: [...documents], isByLaunchIndex };
}

/** Addresses of the documents that one was named by, the outermost first. */
type Chain = readonly string[];

class Splitter {
  readonly parts: UserDataPart[] = [];
  readonly findings: Finding[] = [];
  readonly templates: TemplatePart[] = [];
  readonly includes: WantedInclude[] = [];
  readonly documents = new Set<string>();
  isByLaunchIndex = false;
  readonly #context: SplitContext;
  readonly #budget = new SplitBudget();
  readonly #names = new AddressNames();
  #number = 0;

  constructor(context: SplitContext) {
    this.#context = context;
  }

  document({ document, bytes, format }: RawDocument, chain: Chain): void {
    this.documents.add(document);
    const opened = openDocument(bytes, maxBytes);
    if (opened.bytes === undefined) {
      this.findings.push(findingAt(document, null, { level: "error", ...opened.refusal }));
      return;
    }
    const found = findMessage(opened.bytes);
    const message = found === undefined ? undefined : readMessage(found.bytes);
    if (found !== undefined && message !== undefined && !isHeadless(message)) {
      const { linesBefore } = found;
      return this.#contents(contentsOfMessage(message, { document, linesBefore }), chain);
    }
    const contentType = "text/x-not-multipart";
    const whole = { document, format, contentType, header: noHeader, isWhole: true };
    this.#content({ ...whole, bytes: opened.bytes, firstLine: 1, archives: 0 }, chain);
  }

  #contents({ contents, findings }: Contents, chain: Chain): void {
    this.findings.push(...findings);
    for (const content of contents) this.#content(content, chain);
  }

  #content(content: Content, chain: Chain): void {
    const allowed = this.#budget.takeContent();
    if (allowed === "first-beyond") this.#say(content, partProblems.tooManyParts);
    if (allowed !== "yes") return;
    this.documents.add(content.document);
    const isPacked = isGzip(content.bytes);
    const opened = isPacked
      ? unpackDocument(content.bytes, this.#budget.mostBytes)
      : { bytes: content.bytes };
    if (opened.bytes === undefined) {
      const { refusal } = opened;
      const isTooLarge = refusal.code === "user-data/too-large";
      return this.#say(
        content,
        isTooLarge ? packingProblems.tooLarge : { level: "error", ...refusal },
      );
    }
    const { bytes } = opened;
    if (!this.#budget.takeBytes(bytes.length)) return this.#say(content, packingProblems.tooLarge);
    this.#unpacked(isPacked ? { ...content, bytes, firstLine: 1 } : content, chain);
  }

  #unpacked(content: Content, chain: Chain): void {
    const { contentType, header } = content;
    const read = readText(content.bytes, content.charset);
    const known = kindOf({ contentType, filename: header.filename, text: read.text });
    const kind = known === "unknown" ? (content.format ?? known) : known;
    if (kind === "empty") return;
    if (kind === "part-handler") return this.#say(content, partProblems.partHandler);
    if (kind === "signed") return this.#say(content, partProblems.signed);
    if (isScript(kind)) return this.#add(kind, content, read.text);
    if (read.text === undefined) {
      const { line, column, ...why } = notUtf8(read);
      const place = { line: line === null ? null : content.firstLine + line - 1, column };
      this.findings.push({
        document: content.document,
        path: "",
        level: "error",
        ...why,
        ...place,
      });
      return;
    }
    const { text } = read;
    switch (kind) {
      case "unknown":
        this.#number += 1;
        return this.#say(
          content,
          content.isWhole === true ? partProblems.unknownDocument : unreadPart(contentType),
        );
      case "jinja":
        return this.#template(content, text, chain);
      case "cloud-config-archive":
        if (content.archives >= maxDepth) return this.#say(content, partProblems.archives);
        return this.#contents(contentsOfArchive(text, content), chain);
      case "include":
      case "include-once":
        return this.#include({ ...content, text, isOnce: kind === "include-once" }, chain);
      default:
        return this.#add(kind, content, text);
    }
  }

  /** What a template is rendered to says by its first line what it is; no template is made by one. */
  #template(content: Content, text: string, chain: Chain): void {
    const found = templateIn(text);
    if (found === undefined) return this.#say(content, partProblems.notTemplate);
    const { template, linesBefore } = found;
    const firstLine = content.firstLine + linesBefore;
    const rendered = this.#context.rendered?.get(template);
    if (rendered === null) return; // whoever rendered it says why
    if (rendered === undefined) {
      this.templates.push({ document: content.document, template, firstLine });
      return this.#say(content, partProblems.unrendered);
    }
    if (sniff(rendered) === "jinja") return this.#say(content, partProblems.templateInTemplate);
    const bytes = Buffer.from(rendered, "utf8");
    const was = { ...content, isTemplate: true, contentType: "text/plain" };
    this.#content({ ...was, bytes, firstLine }, chain);
  }

  #include(
    list: ContentPlace & { readonly text: string; readonly isOnce: boolean },
    chain: Chain,
  ): void {
    const lines = readIncludeLines(list.text, list.isOnce);
    if (lines.length === 0) this.#say(list, includeProblems.empty);
    for (const { address, isOnce, line } of lines) {
      const place = { document: list.document, firstLine: list.firstLine + line - 1 };
      const allowed = this.#budget.takeInclude();
      if (allowed === "first-beyond") this.#say(place, includeProblems.count);
      if (allowed !== "yes") return;
      const problem = includeProblem(address, chain);
      if (problem !== undefined) {
        this.#say(place, problem);
        continue;
      }
      if (address.startsWith("http:")) {
        const { isSigned = false } = this.#context;
        this.#say(place, isSigned ? includeProblems.signed : includeProblems.unprotected);
        if (isSigned) continue;
      }
      const bytes = this.#context.fetched.get(address);
      const name = this.#nameOf(address);
      if (bytes !== undefined) {
        this.document({ document: name, bytes }, [...chain, address]);
        continue;
      }
      this.includes.push({ address, isOnce });
      this.#say(place, unreadInclude(name));
    }
  }

  /** Addresses that differ in what is not shown of them have one name. */
  #nameOf(address: string): string {
    const shown = this.#names.of(address);
    return this.#context.takenNames?.has(shown) === true ? `${shown} (vendor-data)` : shown;
  }

  #add(format: PartFormat, content: Content, text: string | undefined): void {
    const { document, header, bytes, firstLine } = content;
    this.#number += 1;
    const index = launchIndexOf(header, format, text);
    if (index !== undefined) this.isByLaunchIndex = true;
    if (index !== undefined && this.#context.isSigned === true)
      return this.#say(content, partProblems.signedLaunchIndex);
    const wanted = this.#context.launchIndex ?? null;
    if (index === "unreadable") this.#say(content, partProblems.launchIndex);
    if (wanted !== null && index !== undefined && index !== wanted) {
      if (index !== "unreadable") this.#say(content, partProblems.otherMachine);
      return;
    }
    const { filename, mergeType } = header;
    const launchIndex = typeof index === "number" ? index : null;
    const isTemplate = content.isTemplate ?? false;
    const said = { filename, mergeType, launchIndex, isTemplate, number: this.#number };
    this.parts.push({ document, format, content: bytes, text, ...said, firstLine });
  }

  #say({ document, firstLine }: ContentPlace, said: Said): void {
    this.findings.push(findingAt(document, firstLine, said));
  }
}

/** Whether a document is no message, though it speaks of one: it begins with no field of a header. */
function isHeadless({ parts }: MimeMessage): boolean {
  return parts.length === 1 && parts[0]?.header.fields.length === 0;
}

function includeProblem(address: string, chain: Chain): Said | undefined {
  if (!/^https?:\/\//.test(address) || !URL.canParse(address)) return includeProblems.address;
  if (chain.includes(address)) return includeProblems.cycle;
  return chain.length >= maxDepth ? includeProblems.depth : undefined;
}
