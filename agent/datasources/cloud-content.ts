import type { Json } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import { readUtf8 } from "#provisioner/userdata/utf8-text.ts";
import type { AnswerReader, Cloud } from "./cloud.ts";
import { makeContent } from "./content.ts";
import type { DatasourceContent, Detection } from "./datasource.ts";
import { readJson, requireObject } from "./json-document.ts";
import type { CrawlReport } from "./metadata/service.ts";

/**
 * What a cloud says, from the answers of its metadata service. `interfaces` are names of this
 * machine's by their MAC addresses.
 */
export function readCloud(
  { name, read }: Pick<Cloud, "name" | "read">,
  detection: Detection,
  { answers, service, attempts }: CrawlReport,
  interfaces: AnswerReader["interfaces"] = new Map(),
): DatasourceContent {
  const url = service?.url ?? name;
  const findings: Finding[] = [];
  const instance = read({ ...readerOf(answers, url, findings), interfaces });
  const { userData, vendorData, networkConfig } = instance;
  const said = Object.entries(instance.metaData).filter(
    (entry): entry is [string, Json] => entry[1] !== undefined,
  );
  const over = service?.from == null ? "" : `, asked from ${service.from}`;
  return {
    ...makeContent({
      datasource: {
        ...{ name, place: url, identity: detection.identity, removable: detection.removable },
        evidence: [...detection.evidence, `${url}: answered${over}`],
      },
      metaData: {
        value: Object.fromEntries(said),
        findings: [],
        locate: () => undefined,
      },
      documents: {
        userData,
        vendorData,
        networkConfig:
          networkConfig === undefined ? undefined : Buffer.from(JSON.stringify(networkConfig)),
      },
      defaultInstanceId: `iid-${name.toLowerCase()}`,
      findings,
    }),
    attempts,
  };
}

function readerOf(
  answers: CrawlReport["answers"],
  url: string,
  findings: Finding[],
): Omit<AnswerReader, "interfaces"> {
  const malformed = (path: string, problem: string) =>
    new Fault("datasource/malformed", `${url}${path}: ${problem}`);
  const bytes = (path: string) => answers.get(path);
  const text = (path: string): string | undefined => {
    const found = bytes(path);
    if (found === undefined) return undefined;
    const decoded = readUtf8(found);
    if (decoded.text !== undefined) return decoded.text.trim() || undefined;
    const { line, column, found: came } = decoded;
    throw malformed(path, `expected UTF-8, got ${came} in line ${line}, column ${column}`);
  };
  const document = (path: string) => {
    const found = bytes(path);
    return found === undefined ? undefined : readJson(found, path, url);
  };
  return {
    bytes,
    text,
    malformed,
    lines: (path) =>
      (text(path) ?? "").split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()])),
    json: (path) => document(path)?.value,
    object(path) {
      const found = document(path);
      if (found !== undefined) return requireObject(found, url);
      throw new Fault("datasource/missing", `${url}${path}: there is nothing`);
    },
    paths: (prefix) => [...answers.keys()].filter((path) => path.startsWith(prefix)).sort(),
    find: (path, about) =>
      void findings.push({ document: path, path: "", line: null, column: null, ...about }),
  };
}
