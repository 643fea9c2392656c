import type { Finding } from "#core/finding.ts";
import type { Command } from "#generated/provisioner/spec/v1.ts";
import { starterOf } from "../cloud-config/vendor-prefix.ts";
import type { SpecDraft } from "../draft.ts";
import type { UserDataPart } from "../parts/part.ts";
import { lintScript } from "./lint-script.ts";
import { asProgram, startScript } from "./script-interpreter.ts";
import type { NamedScript } from "./script-order.ts";

/** When a script runs, and how often. */
type Moment = Pick<Command, "when" | "frequency">;

/** Moments by what a part is, as cloud-init has them. */
const moments: Readonly<Record<string, Moment>> = {
  "cloud-boothook": { when: "early", frequency: "always" },
  script: { when: "late", frequency: "instance" },
  "script-per-once": { when: "late", frequency: "once" },
  "script-per-boot": { when: "late", frequency: "always" },
  "script-per-instance": { when: "late", frequency: "instance" },
};

/** Adds scripts to the commands of the spec, in their order; their texts become secrets. */
export function addScripts(
  scripts: readonly NamedScript[],
  draft: SpecDraft,
  written: ReadonlySet<string>,
): readonly Finding[] {
  return scripts.flatMap((script) => addScript(script, draft, written));
}

function addScript(
  { part, name: file, prefix = [] }: NamedScript,
  draft: SpecDraft,
  written: ReadonlySet<string>,
): readonly Finding[] {
  const { document, firstLine, text, content } = part;
  const moment = moments[part.format];
  if (moment === undefined) return [];
  const name = commandName(file);
  const { body, linesBefore } =
    text === undefined ? { body: undefined, linesBefore: 0 } : bodyOf(part, text);
  const started = body === undefined ? undefined : startScript(body);
  const line = firstLine + linesBefore;
  draft.spec.commands ??= [];
  draft.place(["commands", draft.spec.commands.length], { document, line, column: 1 });
  const isStarted = prefix.length > 0;
  const own = isStarted && started !== undefined ? asProgram(started) : started;
  const script = draft.secret(name, own?.text ?? content);
  const interpreter = own?.interpreter ?? "own";
  draft.spec.commands.push({
    name,
    ...moment,
    script,
    ...(interpreter === "sh" ? {} : { interpreter }),
    ...(isStarted ? { starter: draft.secret(`${name}-starter`, starterOf(prefix)) } : {}),
  });
  const problems = [
    ...(started?.problem === undefined ? [] : [{ ...started.problem, line: 1 }]),
    ...(started === undefined || body === undefined || !isShell(started.interpreter, body)
      ? []
      : lintScript(body, { written })),
  ];
  return problems.map(({ line: inScript, code, message, hint = null }) => ({
    ...{ document, path: "", line: line + inScript - 1, column: 1, level: "warning" },
    ...{ code, message, hint },
  }));
}

/** The script itself: with LF, and of a hook what follows the word that says so. */
function bodyOf({ format }: UserDataPart, text: string) {
  const unix = /^[^\n]*\r\n/.test(text) ? text.replaceAll("\r\n", "\n") : text;
  const trimmed = unix.trimStart();
  const own =
    format === "cloud-boothook" ? trimmed.replace(/^#cloud-boothook/i, "").trimStart() : trimmed;
  const before = unix.slice(0, unix.length - own.length);
  return { body: own, linesBefore: before.split("\n").length - 1 };
}

function isShell(interpreter: string, body: string): boolean {
  return interpreter !== "own" || /^#!\S*(?:\/|env[ \t]+(?:-S[ \t]+)?)(?:ba|da|a)?sh\b/.test(body);
}

/** The name of a file as one that a command of the spec may have. */
function commandName(file: string): string {
  const clean = file.replace(/[^A-Za-z0-9_.-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "");
  return clean.slice(0, 100) || "script";
}
