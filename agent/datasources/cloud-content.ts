import { Fault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { MetadataPlace } from "#provisioner/render/metadata-service.ts";
import { readUtf8 } from "#provisioner/userdata/utf8-text.ts";
import { readYaml } from "#provisioner/userdata/yaml.ts";
import type { AnswerReader, Cloud, CloudMachine, LocalDocument } from "./cloud.ts";
import type { DatasourceContent, Detection } from "./datasource.ts";
import { instanceContent } from "./instance-content.ts";
import { readJson, requireObject } from "./json-document.ts";
import { shownMachine } from "./metadata/other-machine.ts";
import type { CrawlReport, Lack, Stranger } from "./metadata/service.ts";

const mostLacks = 10;
/** Characters of a path. */
const mostShown = 200;

/** What a cloud says, from the answers of its metadata service to this machine. */
export async function readCloud(
  cloud: Pick<Cloud, "name" | "read" | "workloadIdentity" | "service">,
  detection: Detection,
  { answers, service, attempts, unrecorded = 0, lacks = [], ...rest }: CrawlReport,
  machine: CloudMachine,
): Promise<DatasourceContent> {
  const { name } = cloud;
  const { tokenless = false, strangers = [] } = rest;
  const url = service?.url ?? name;
  const findings: Finding[] = [
    ...findingsOf(lacks),
    ...(tokenless ? [withoutToken(name)] : []),
    ...strangers.slice(0, mostLacks).map(passedOver),
  ];
  const reader = { ...machine, ...readerOf(answers, url, findings) };
  const instance = await cloud.read(reader);
  const { identity, removable } = detection;
  const over = service?.from == null ? "" : `, asked from ${service.from}`;
  const evidence = [
    ...detection.evidence,
    `${url}: answered${over}`,
    ...(instance.seed === undefined ? [] : [instance.seed.evidence]),
    ...evidenceOf(machine.local),
  ];
  const datasource = { name, place: url, identity, removable, evidence };
  const isIncomplete = instance.lacksNetwork || lacks.some(({ level }) => level === "warning");
  return {
    ...instanceContent({ datasource, instance, findings }),
    ...{ attempts, unrecorded, metadataService: placeOf(cloud, service?.url, reader, lacks) },
    ...(isIncomplete ? { incomplete: true } : {}),
  };
}

/** Paths that say whether an instance has a workload identity. */
const ofIdentity =
  /\/(?:security-credentials|service-accounts|iam)\/|^\/metadata\/identity\/|^\/latest\/meta-data\/$/;

/**
 * Addresses are the cloud's own. One that a lease, a file of the machine or its settings name may be
 * anything else as well.
 */
function placeOf(
  { name, service, workloadIdentity }: Pick<Cloud, "name" | "service" | "workloadIdentity">,
  answered: string | undefined,
  reader: AnswerReader,
  lacks: readonly Lack[],
): MetadataPlace {
  const isOwn = service.addresses.some((address) => address === answered);
  const own = service.addresses.filter((address) => isOwn && address.startsWith("http:"));
  const urls = own.map((address) => new URL(address));
  const ports = urls.map(({ port }) => Number(port || 80));
  return {
    cloud: name,
    addresses: urls.map(({ hostname }) => hostname.replace(/^\[(.*)\]$/, "$1")),
    ports: [...new Set([...ports, ...(service.otherPorts ?? [])])],
    // Who may have one is not kept from it.
    identity: lacks.some(({ path }) => ofIdentity.test(path))
      ? "a workload identity that could not be asked for"
      : (workloadIdentity?.(reader) ?? null),
  };
}

/** The first of them one by one: a service that is broken may lack hundreds. */
function findingsOf(lacks: readonly Lack[]): readonly Finding[] {
  const about = { path: "", line: null, column: null, code: "datasource/not-read" } as const;
  const hint = "look at the metadata service where the machine needs it, and start it again";
  // The worst first.
  const ordered = lacks.toSorted((a, b) => b.level.length - a.level.length);
  const told = ordered.slice(0, mostLacks).map(({ level, path, problem }): Finding => {
    return { ...about, document: shown(path), level, message: `left out: ${problem}`, hint };
  });
  const rest = ordered.slice(mostLacks);
  const [{ level, path } = { level: "note" as const, path: "" }] = rest;
  if (rest.length === 0) return told;
  const message = `left out, and ${rest.length - 1} others beside it: it did not come`;
  return [...told, { ...about, document: shown(path), level, message, hint }];
}

/** The service names its leaves itself, as it likes. */
function shown(path: string): string {
  return path.replace(/[^\x21-\x7e]/g, "?").slice(0, mostShown);
}

function passedOver({ url, from, speaksOf }: Stranger): Finding {
  const over = from === null ? "" : ` (asked from ${from})`;
  return {
    ...{ document: url, path: "", line: null, column: null, level: "note" },
    code: "datasource/other-instance",
    message: `passed over: who answers here${over} speaks of ${shownMachine(speaksOf)}, another answers for this machine`,
    hint: "look who answers at this address: it may be a neighbour in the place of the service",
  };
}

function withoutToken(name: string): Finding {
  return {
    ...{ document: name, path: "", line: null, column: null, level: "note" },
    code: "datasource/without-token",
    message: "the metadata service gave no token and was asked without one, as the settings allow",
    hint: "have the cloud require tokens of this instance, and take `metadata.imdsv1` from the settings",
  };
}

function evidenceOf(local: LocalDocument | undefined): readonly string[] {
  if (local?.problem !== undefined) return [`not readable: ${local.problem.message}`];
  return local?.bytes === undefined ? [] : [`${local.place}: ${local.bytes.length} bytes`];
}

/** A path stands behind its address, a key of what is no web beside it. */
function placeIn(url: string, path: string): string {
  return /^[/:]/.test(path) ? `${url}${path}` : `${url} ${path}`;
}

function readerOf(
  answers: CrawlReport["answers"],
  url: string,
  findings: Finding[],
): Omit<AnswerReader, keyof CloudMachine> {
  const malformed = (path: string, problem: string) =>
    new Fault("datasource/malformed", `${placeIn(url, path)}: ${problem}`);
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
    url,
    bytes,
    text,
    malformed,
    lines: (path) =>
      (text(path) ?? "").split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()])),
    json: (path) => document(path)?.value,
    yaml(path) {
      const found = text(path);
      if (found === undefined) return undefined;
      const { value, findings: problems } = readYaml(found, { document: path });
      if (value !== undefined) return value;
      const { line, column } = problems.find(({ level }) => level === "error") ?? {};
      throw malformed(path, `no YAML in line ${line ?? "?"}, column ${column ?? "?"}`);
    },
    object(path) {
      const found = document(path);
      if (found !== undefined) return requireObject(found, url);
      throw new Fault("datasource/missing", `${placeIn(url, path)}: there is nothing`);
    },
    paths: (prefix) => [...answers.keys()].filter((path) => path.startsWith(prefix)).sort(),
    find: (path, about) =>
      void findings.push({ document: path, path: "", line: null, column: null, ...about }),
  };
}
