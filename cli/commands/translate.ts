import { exitCodes } from "#agent/outcome.ts";
import { defaultUserName } from "#agent/resolve-spec.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { formatFinding, hasErrors } from "#core/finding.ts";
import { translate } from "#provisioner/userdata/translate.ts";
import { type Command, textFlag } from "../command.ts";
import { readInput } from "../read-input.ts";

/** `firstlight translate` */
export const command: Command = {
  usage: "translate FILE [--format spec|nix|json]",
  summary:
    "Turn user-data into a spec or into Nix, with findings for everything that is not in it.",
  help: "Secrets are left out: the spec names them. `json` prints spec, findings and coverage.",
  options: { format: { type: "string" } },
  arity: [1, 1],
  async run({ args, flags, json, out }) {
    const format = json ? "json" : (textFlag(flags, "format") ?? "spec");
    if (!["spec", "nix", "json"].includes(format)) {
      throw new Fault(
        "cli/usage",
        `--format: expected spec, nix or json, got ${JSON.stringify(format)}`,
      );
    }
    const [document = "-"] = args;
    const translation = translate(
      { userData: { document, bytes: readInput(document) } },
      { hostname: null, publicKeys: [], defaultUser: defaultUserName, fetched: new Map() },
    );
    const rendered =
      format === "nix"
        ? await (await import("../preview.ts")).renderPreview(translation, {})
        : undefined;
    const findings = [...translation.findings, ...(rendered?.findings ?? [])];
    if (format === "json") {
      const { spec, coverage } = translation;
      out.data(prettyJson({ v: 1, spec, findings, coverage }));
    } else {
      for (const finding of findings) out.talk(formatFinding(finding));
      if (rendered === undefined) out.data(prettyJson(translation.spec));
      else {
        const wanted = ["firstlight/instance.nix", "firstlight/network.nix"];
        for (const file of rendered.sources.files)
          if (wanted.includes(file.path)) out.data(file.content);
      }
    }
    return hasErrors(findings) ? exitCodes.invalidInput : exitCodes.done;
  },
};
