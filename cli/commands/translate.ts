import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { byPlace, hasErrors } from "#core/finding.ts";
import type { SecretBag } from "#core/secret.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import type { Translation } from "#provisioner/userdata/translation.ts";
import { type Command, textFlag } from "../command.ts";
import { namedSecrets, secretsHelp, secretsOption } from "../named-secrets.ts";
import { renderPreview } from "../preview.ts";
import { readInput } from "../read-input.ts";
import { readSigners, signersHelp, signersOption } from "../signers.ts";
import { translateAway } from "../translate-away.ts";

const formats = ["spec", "nix", "json"] as const;
type Format = (typeof formats)[number];

/** `firstlight translate` */
export const command: Command = {
  usage: `translate FILE… [--format ${formats.join("|")}] [--secrets NAMES] [--signers FILE]`,
  summary:
    "Turn user-data into a spec or into Nix, with findings for everything that is not in it.",
  help:
    "`nix` is what sets options for the instance and its network; what else the spec says is named.\nSecrets are left out: the spec names them. `json` prints spec, findings and coverage.\nSeveral files are translated each by itself; `json` has them in the list `documents` then.\n" +
    `${secretsHelp}\n${signersHelp}`,
  options: { ...secretsOption, ...signersOption, format: { type: "string" } },
  arity: [1, 1000],
  async run({ args, flags, json, out, signal }) {
    const format = readFormat(json ? "json" : textFlag(flags, "format"));
    const secrets = namedSecrets(flags);
    const signers = await readSigners(flags, signal);
    const results: Translated[] = [];
    for (const name of args) {
      const result = await translateFile(name, { format, secrets, signers, signal });
      results.push(result);
      if (format === "json") continue;
      out.findings(result.findings);
      if (format === "spec") out.data(prettyJson(result.spec));
      for (const text of result.nix) out.data(text);
      if (format === "nix") for (const line of notInNix(result)) out.talk(line);
    }
    const [only] = results;
    if (format === "json" && only !== undefined)
      out.data(
        prettyJson(
          results.length === 1
            ? { v: 1, ...plain(only) }
            : {
                v: 1,
                documents: results.map((each) => ({ document: each.document, ...plain(each) })),
              },
        ),
      );
    return results.some(({ findings }) => hasErrors(findings))
      ? exitCodes.invalidInput
      : exitCodes.done;
  },
};

/** Parts of a spec that are rendered to files of their own, and those that no file of Nix has. */
const elsewhere = {
  render: ["hooks", "templates"],
  spec: ["health", "update"],
} as const;

/** Names what a spec says beside the Nix that is shown. */
function notInNix({ document, spec }: Translated): readonly string[] {
  const said = (keys: readonly (keyof Spec)[]) => keys.filter((key) => spec[key] !== undefined);
  const line = (keys: readonly string[], where: string) =>
    keys.length === 0 ? [] : [`${document}: not shown here: ${keys.join(", ")}; ${where}`];
  return [
    ...line(said(elsewhere.render), "`firstlight render --user-data FILE --out DIR` writes them"),
    ...line(said(elsewhere.spec), "firstlight itself goes by them, `--format spec` shows them"),
  ];
}

/** What became of one file. */
interface Translated extends Pick<Translation, "spec" | "findings" | "coverage"> {
  readonly document: string;
  /** The files of Nix that its values stand in. */
  readonly nix: readonly string[];
}

interface Translating {
  readonly format: Format;
  readonly secrets: SecretBag;
  readonly signers: readonly string[];
  readonly signal: AbortSignal;
}

async function translateFile(
  document: string,
  { format, secrets, signers, signal }: Translating,
): Promise<Translated> {
  const userData = { document, bytes: await readInput(document, { signal }) };
  const translation = await translateAway({ userData }, { secrets, signers });
  const { spec, coverage } = translation;
  const { sources, findings } = await renderPreview(translation, {});
  const wanted = ["firstlight/instance.nix", "firstlight/network.nix"];
  const nix = sources.files.filter(({ path }) => wanted.includes(path)).map((file) => file.content);
  const all = [...translation.findings, ...findings].sort(byPlace);
  return { document, spec, coverage, findings: all, nix: format === "nix" ? nix : [] };
}

function plain({ spec, findings, coverage }: Translated) {
  return { spec, findings, coverage };
}

function readFormat(wanted: string | undefined): Format {
  const format = formats.find((each) => each === (wanted ?? "spec"));
  if (format !== undefined) return format;
  throw new Fault(
    "cli/usage",
    `--format: expected ${formats.join(", ")}, got ${JSON.stringify(wanted)}`,
  );
}
