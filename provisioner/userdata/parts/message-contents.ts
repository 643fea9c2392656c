import { type Finding, shownKey } from "#core/finding.ts";
import { isGzip } from "../user-data-format.ts";
import type { Content } from "./content.ts";
import { mimeDefects } from "./mime-defect.ts";
import type { MimeMessage, MimePart } from "./mime-message.ts";
import { gzipTypes } from "./part-format.ts";
import { type PartHeader, partHeader } from "./part-header.ts";
import {
  encodingProblems,
  findingAt,
  misspeltField,
  packingProblems,
  type Said,
} from "./split-findings.ts";
import { transferDecode } from "./transfer-encoding.ts";

/** Contents of a document that holds several, and what is said of those that could not be read. */
export interface Contents {
  readonly contents: readonly Content[];
  readonly findings: readonly Finding[];
}

/** The parts of a message, each decoded; they are still packed where they are. */
export function contentsOfMessage(
  message: MimeMessage,
  { document, linesBefore }: { readonly document: string; readonly linesBefore: number },
): Contents {
  const findings = message.faults.map(({ defect, line }) =>
    findingAt(document, line + linesBefore, {
      code: "user-data/mime-form",
      ...mimeDefects[defect],
    }),
  );
  const contents: Content[] = [];
  for (const [index, part] of message.parts.entries()) {
    const header = partHeader(part.header);
    const name = partName(document, index, header);
    const line = part.bodyLine + linesBefore;
    const say = (said: Said) => findings.push(findingAt(name, line, said));
    for (const field of header.misspelt) say(misspeltField(field));
    const content = decodePart(part, header, { document: name, line, say });
    if (content !== undefined) contents.push(content);
  }
  return { contents, findings };
}

/** What a part of a document is called: `user-data: part 2 (setup.sh)`. */
export function partName(document: string, index: number, { filename }: PartHeader): string {
  const name = filename === null ? "" : ` (${shownKey(filename)})`;
  return `${document}: part ${index + 1}${name}`;
}

interface PartPlace {
  readonly document: string;
  readonly line: number;
  readonly say: (said: Said) => void;
}

function decodePart(
  part: MimePart,
  header: PartHeader,
  { document, line, say }: PartPlace,
): Content | undefined {
  const encoding = part.header.word("content-transfer-encoding");
  const { bytes, keepsLines, problem } = transferDecode(part.body, encoding);
  if (problem !== undefined) say(encodingProblems[problem]);
  if (problem === "broken") return undefined;
  const packing = part.header.word("content-encoding") ?? "";
  if (!["", "identity", "gzip", "x-gzip"].includes(packing)) {
    say(packingProblems.unknown);
    return undefined;
  }
  const isPackedType = gzipTypes.has(part.contentType);
  if ((isPackedType || packing.endsWith("gzip")) && !isGzip(bytes)) {
    say(packingProblems.notPacked);
    return undefined;
  }
  return {
    ...{ document, bytes, archives: 0, charset: part.header.charset() },
    // of the header of a packed part cloud-init keeps no more than this
    header: isPackedType ? { ...header, mergeType: null } : header,
    contentType: isPackedType ? "text/plain" : part.contentType,
    firstLine: keepsLines ? line : 1,
  };
}
