import path from "node:path";
import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { type Finding, formatFinding, hasErrors } from "#core/finding.ts";
import { hostFiles } from "#core/host-files.ts";
import { hostClock } from "#core/host-io.ts";
import { type Io, timestamp } from "#core/io.ts";
import type { SecretBag } from "#core/secret.ts";
import type { Documents } from "#provisioner/userdata/translate.ts";
import type { RawDocument, TranslationContext } from "#provisioner/userdata/translation.ts";
import { decodeUserData, maxBytes, sniff } from "#provisioner/userdata/user-data-format.ts";
import { type Command, textFlag } from "../command.ts";
import { namedSecrets, secretsHelp, secretsOption } from "../named-secrets.ts";
import { everyFinding } from "../preview.ts";
import { readInput } from "../read-input.ts";
import { readSigners, signersHelp, signersOption } from "../signers.ts";
import { translateHere } from "../translate-away.ts";

const kinds = ["cloud-config", "network", "spec", "profile"] as const;
type Kind = (typeof kinds)[number];

/** `firstlight validate` */
export const command: Command = {
  usage: `validate FILE… [--kind ${kinds.join("|")}] [--secrets NAMES] [--signers FILE] [--annotate]`,
  summary: "Say everything that is wrong with documents, with line and column.",
  help:
    "Without --kind the first line of a document says what it is; with it the two must agree. cloud-config is also held against all that cloud-init takes, whether it is translated or not. --annotate prints the documents with what is said of each line below it. Exit code 4 when there is an error.\n" +
    `${secretsHelp}\n${signersHelp}`,
  options: {
    ...secretsOption,
    ...signersOption,
    kind: { type: "string" },
    annotate: { type: "boolean" },
  },
  arity: [1, 1000],
  async run({ args, flags, json, io, out, signal }) {
    const kind = textFlag(flags, "kind") as Kind | undefined;
    if (kind !== undefined && !kinds.includes(kind)) {
      throw new Fault(
        "cli/usage",
        `--kind: expected ${kinds.join(", ")}, got ${JSON.stringify(kind)}`,
      );
    }
    const secrets = namedSecrets(flags);
    const signers = await readSigners(flags, signal);
    const findings: Finding[] = [];
    for (const name of args) {
      const bytes = await readInput(name, { signal });
      const said = await validateFile({ document: name, bytes }, { io, kind, secrets, signers });
      findings.push(...said);
      if (json) continue;
      if (flags["annotate"] === true) out.data(await annotated({ document: name, bytes }, said));
      else for (const finding of said) out.data(formatFinding(finding));
    }
    if (json) out.data(prettyJson({ v: 1, findings }));
    if (!json && findings.length === 0) out.talk("nothing is wrong");
    return hasErrors(findings) ? exitCodes.invalidInput : exitCodes.done;
  },
};

interface Validating {
  readonly io: Io;
  readonly kind: Kind | undefined;
  readonly secrets: SecretBag;
  readonly signers: readonly string[];
}

/** The document as it is read, with what is said of it. */
async function annotated(raw: RawDocument, findings: readonly Finding[]): Promise<string> {
  const [{ annotate }, { openDocument }, { splitUserData }] = await Promise.all([
    import("../annotate.ts"),
    import("#provisioner/userdata/parts/document-bytes.ts"),
    import("#provisioner/userdata/parts/split.ts"),
  ]);
  const { bytes = raw.bytes } = openDocument(raw.bytes, maxBytes);
  const text = new TextDecoder("utf-8").decode(bytes);
  const { parts } = splitUserData(raw, { fetched: new Map() });
  return annotate(raw.document, text, { findings, parts }).replace(/\n$/, "");
}

async function validateFile(
  raw: RawDocument,
  { io, kind, secrets, signers }: Validating,
): Promise<readonly Finding[]> {
  const other = kind === undefined ? undefined : otherKind(raw, kind);
  if (other !== undefined) return [other];
  if (kind === "profile") return checkProfile(raw);
  const { checkCloudConfig, joinFindings } = await import(
    "#provisioner/userdata/cloud-config/schema/check.ts"
  );
  const inspect: TranslationContext["inspect"] = (config, said) =>
    joinFindings(said, checkCloudConfig(config));
  const findings = await everyFinding(
    await translateHere(io, documentsOf(raw, kind), { secrets, signers, inspect }),
  );
  return kind === undefined ? findings.map(withKinds) : findings;
}

/** What the first line of a document says that it is, where `--kind` is about it. */
const kindOfLine = { "cloud-config": "cloud-config", firstlight: "spec" } as const;

/** That a document is of another kind than it was to be checked as, by its first line. */
function otherKind(raw: RawDocument, kind: Kind): Finding | undefined {
  const format = sniff(decodeUserData(raw).text ?? "");
  if (format !== "cloud-config" && format !== "firstlight") return undefined;
  if (kindOfLine[format] === kind) return undefined;
  return {
    ...{ document: raw.document, path: "", line: 1, column: 1, level: "error" },
    code: "user-data/other-kind",
    message: `expected a document of the kind ${kind}, got one whose first line says #${format}`,
    hint: `leave --kind out, or write --kind ${kindOfLine[format]}`,
  };
}

/** Of a document that does not say what it is, also how to say it here. */
function withKinds(finding: Finding): Finding {
  if (finding.code !== "user-data/unknown-format") return finding;
  const hint = `${finding.hint}; or say what it is: --kind network, --kind spec, --kind profile`;
  return { ...finding, hint };
}

/** A profile is checked with those that lie beside it. */
async function checkProfile(raw: RawDocument): Promise<readonly Finding[]> {
  const { text, findings } = decodeUserData(raw);
  if (text === undefined) return findings;
  const { lintProfileFile } = await import("#provisioner/profiles/lint.ts");
  const files = hostFiles("/", () => {});
  const { document } = raw;
  const today = timestamp(hostClock).slice(0, 10);
  return lintProfileFile(files, { file: path.resolve(document), text, document, today });
}

/** A document whose first line says nothing is of the kind that was asked for. */
function documentsOf(raw: RawDocument, kind: Kind | undefined): Documents {
  if (kind === "network") return { networkConfig: raw };
  if (kind === "spec") return { userData: { ...raw, format: "firstlight" } };
  return { userData: kind === "cloud-config" ? { ...raw, format: "cloud-config" } : raw };
}
