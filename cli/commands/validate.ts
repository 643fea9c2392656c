import path from "node:path";
import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { type Finding, formatFinding, hasErrors } from "#core/finding.ts";
import { hostFiles } from "#core/host-files.ts";
import { hostClock } from "#core/host-io.ts";
import { timestamp } from "#core/io.ts";
import type { SecretBag } from "#core/secret.ts";
import type { Documents } from "#provisioner/userdata/translate.ts";
import type { RawDocument } from "#provisioner/userdata/translation.ts";
import { decodeUserData } from "#provisioner/userdata/user-data-format.ts";
import { type Command, textFlag } from "../command.ts";
import { namedSecrets, secretsHelp, secretsOption } from "../named-secrets.ts";
import { everyFinding } from "../preview.ts";
import { readInput } from "../read-input.ts";
import { translateAway } from "../translate-away.ts";

const kinds = ["cloud-config", "network", "spec", "profile"] as const;
type Kind = (typeof kinds)[number];

/** `firstlight validate` */
export const command: Command = {
  usage: `validate FILE… [--kind ${kinds.join("|")}] [--secrets NAMES]`,
  summary: "Say everything that is wrong with documents, with line and column.",
  help:
    "Without --kind the first line of a document says what it is. Exit code 4 when there is an error.\n" +
    secretsHelp,
  options: { ...secretsOption, kind: { type: "string" } },
  arity: [1, 1000],
  async run({ args, flags, json, out, signal }) {
    const kind = textFlag(flags, "kind") as Kind | undefined;
    if (kind !== undefined && !kinds.includes(kind)) {
      throw new Fault(
        "cli/usage",
        `--kind: expected ${kinds.join(", ")}, got ${JSON.stringify(kind)}`,
      );
    }
    const secrets = namedSecrets(flags);
    const findings: Finding[] = [];
    for (const name of args)
      findings.push(...(await validateFile(name, { kind, secrets, signal })));
    if (json) out.data(prettyJson({ v: 1, findings }));
    else for (const finding of findings) out.data(formatFinding(finding));
    if (!json && findings.length === 0) out.talk("nothing is wrong");
    return hasErrors(findings) ? exitCodes.invalidInput : exitCodes.done;
  },
};

interface Validating {
  readonly kind: Kind | undefined;
  readonly secrets: SecretBag;
  readonly signal: AbortSignal;
}

async function validateFile(
  name: string,
  { kind, secrets, signal }: Validating,
): Promise<readonly Finding[]> {
  const raw = { document: name, bytes: await readInput(name, { signal }) };
  if (kind === "profile") return checkProfile(raw);
  return everyFinding(translateAway(documentsOf(raw, kind), { secrets }));
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
