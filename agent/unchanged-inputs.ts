import { prettyJson, sha256 } from "#core/canonical-json.ts";
import type { Finding } from "#core/finding.ts";
import type { Io } from "#core/io.ts";
import { digestAnswers, type Trace } from "#core/traced-io.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import type { Confidence } from "#provisioner/profiles/profile.ts";
import type { DatasourceContent } from "./datasources/datasource.ts";
import { digestWhole } from "./pinned-instance.ts";

/** What a boot that left everything as it was has seen, where the next one sees the same. */
export interface UnchangedInputs {
  readonly content: DatasourceContent;
  readonly seen: Seen;
  readonly sourcesDigest: string;
}

/** What was made of the inputs, to be told again. */
interface Seen {
  readonly profile: string | null;
  readonly confidence: Confidence | null;
  readonly findings: readonly Finding[];
}

/** Everything that an end was made from. */
export interface Inputs {
  /** Digest of the program with what is shipped beside it. */
  readonly program: string;
  readonly content: DatasourceContent;
  readonly facts: Facts;
  /** Of everything else that was asked on the way. */
  readonly trace: Trace;
}

/** What lies on the disk. */
interface InputsRecord {
  readonly v: 1;
  readonly program: string;
  readonly content: string;
  readonly facts: string;
  readonly trace: Trace;
  readonly seen: Seen;
  readonly sourcesDigest: string;
}

/** Root-only; another content only means that the next boot takes the long way. */
export const unchangedInputsFile = "/var/lib/firstlight/unchanged-inputs.json";

const maxBytes = 4 * 1024 * 1024;

/** How the inputs of now are read. */
export interface ReadInputs {
  readonly program: string | undefined;
  readonly discover: () => Promise<DatasourceContent>;
  readonly readFacts: () => Facts | Promise<Facts>;
}

/**
 * What the last boot made of its inputs, where every one of them is the same now: the program, what
 * the datasource says, the machine's facts, and each answer that was asked for on the way. `undefined`
 * where anything differs or cannot be read: then the long way finds out, and says what is wrong.
 */
export async function recallUnchanged(
  io: Io,
  now: ReadInputs,
): Promise<UnchangedInputs | undefined> {
  const record = readRecord(io);
  if (record === undefined || record.program !== now.program) return undefined;
  if (digestAnswers(io, record.trace.questions) !== record.trace.answers) return undefined;
  const content = await now.discover().catch(() => undefined);
  if (content === undefined || digestContent(io, content) !== record.content) return undefined;
  if (digestFacts(await now.readFacts()) !== record.facts) return undefined;
  return { content, seen: record.seen, sourcesDigest: record.sourcesDigest };
}

/** Remembers what an end that changed nothing was made from. */
export function rememberUnchanged(
  io: Io,
  { program, content, facts, trace }: Inputs,
  { seen, sourcesDigest }: Pick<UnchangedInputs, "seen" | "sourcesDigest">,
): void {
  const record: InputsRecord = {
    v: 1,
    program,
    content: digestContent(io, content),
    facts: digestFacts(facts),
    trace,
    seen,
    sourcesDigest,
  };
  io.files.write(unchangedInputsFile, prettyJson(record), { mode: 0o600 });
}

/** The whole content: keyed, because it holds secrets, and with the words that a result repeats. */
function digestContent(io: Io, content: DatasourceContent): string {
  const { instance, secrets, findings, metadataService = null } = content;
  const keyed = digestWhole(io, { instance, secrets, fetched: new Map() });
  return sha256(prettyJson({ keyed, datasource: instance.datasource, findings, metadataService }));
}

function digestFacts(facts: Facts): string {
  return sha256(prettyJson(facts));
}

/** A record of another version, or a torn one, counts as none. */
function readRecord({ files }: Io): InputsRecord | undefined {
  try {
    const text = files.readText(unchangedInputsFile, { maxBytes });
    const record = JSON.parse(text ?? "null") as Partial<InputsRecord> | null;
    const isWhole =
      record?.v === 1 && Array.isArray(record.trace?.questions) && record.seen !== undefined;
    return isWhole ? (record as InputsRecord) : undefined;
  } catch {
    return undefined;
  }
}
