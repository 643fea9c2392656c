import { readArchive } from "./archive.ts";
import type { Content } from "./content.ts";
import { type Contents, partName } from "./message-contents.ts";
import { headerOf } from "./part-header.ts";
import { findingAt, misspeltField } from "./split-findings.ts";

/** The entries of an archive; its lines are those of the document that it is in. */
export function contentsOfArchive(text: string, archive: Content): Contents {
  const { document, firstLine } = archive;
  const line = (inArchive: number) => firstLine + inArchive - 1;
  const { entries, findings } = readArchive(text, document);
  const moved = findings.map((finding) =>
    finding.line === null ? finding : { ...finding, line: line(finding.line) },
  );
  const contents = entries.map((entry, index): Content => {
    const header = headerOf([...entry.fields], entry.filename);
    const name = partName(document, index, header);
    for (const field of header.misspelt)
      moved.push(findingAt(name, line(entry.line), misspeltField(field)));
    return {
      ...{ document: name, header, contentType: entry.contentType, bytes: entry.content },
      firstLine: entry.contentLine === undefined ? 1 : line(entry.contentLine),
      archives: archive.archives + 1,
    };
  });
  return { contents, findings: moved };
}
