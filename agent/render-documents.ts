import type { Finding } from "#core/finding.ts";
import type { TemplateAnswer } from "#provisioner/userdata/jinja/child.ts";
import { templateProblems } from "#provisioner/userdata/jinja/template-problem.ts";
import type { Documents } from "#provisioner/userdata/translate.ts";
import { decodeUserData, sniff } from "#provisioner/userdata/user-data-format.ts";
import type { Instance } from "./datasources/datasource.ts";

/** Renders a template over what the datasource says of the instance, in bounded time and memory. */
export type RenderTemplate = (template: string, instance: Instance) => Promise<TemplateAnswer>;

/** How many variables that are not there are named. */
const mostNamed = 20;
/** A variable as a person writes it; anything else may be more than a name. */
const nameOfVariable = /^[A-Za-z_][\w-]{0,63}$/;

/**
 * Renders user-data that begins with `## template: jinja`; what it is then says its next line. One that
 * cannot be rendered is left out, with an error.
 */
export async function renderDocuments(
  documents: Documents,
  instance: Instance,
  render: RenderTemplate,
): Promise<{ readonly documents: Documents; readonly findings: readonly Finding[] }> {
  const raw = documents.userData;
  const text = raw === undefined ? undefined : decodeUserData(raw).text;
  if (raw === undefined || text === undefined || sniff(text) !== "jinja")
    return { documents, findings: [] };
  const trimmed = text.trimStart();
  const template = trimmed.slice(trimmed.indexOf("\n") + 1 || trimmed.length);
  const answer = await render(template, instance);
  const before = linesOf(text.slice(0, text.length - trimmed.length)) + 1;
  if ("problem" in answer) {
    const { kind, line } = answer;
    const finding: Finding = {
      ...{ document: raw.document, path: "", column: 1, level: "error" },
      line: line === undefined ? 1 : before + line,
      code: "user-data/template-failed",
      message: `the template cannot be rendered: ${templateProblems[kind]}`,
      hint: '`firstlight query --format "$(tail -n +2 FILE)"` says more, with FILE the template',
    };
    return { documents: { ...documents, userData: undefined }, findings: [finding] };
  }
  const bytes = Buffer.from(keepLines(answer.text, before));
  const findings = answer.missing
    .filter((name) => nameOfVariable.test(name))
    .slice(0, mostNamed)
    .map((name) => missing(raw.document, name, text));
  return { documents: { ...documents, userData: { ...raw, bytes } }, findings };
}

/**
 * The header was a line, and so is each that was empty before it or after it: with others in their places
 * lines have the numbers that they have in the template.
 */
function keepLines(rendered: string, before: number): string {
  const text = rendered.trimStart();
  const dropped = before + linesOf(rendered.slice(0, rendered.length - text.length));
  return sniff(text) === "cloud-config" || sniff(text) === "firstlight"
    ? text.replace("\n", `\n${"#\n".repeat(dropped)}`)
    : text;
}

function linesOf(text: string): number {
  return text.split("\n").length - 1;
}

function missing(document: string, name: string, text: string): Finding {
  const lines = text.split("\n");
  const named = new RegExp(`(?<![\\w-])${name}(?![\\w-])`);
  const index = lines.findIndex((line) => named.test(line));
  return {
    ...{ document, path: "", level: "warning", code: "user-data/template-variable" },
    line: index === -1 ? 1 : index + 1,
    column: index === -1 ? 1 : (lines[index]?.search(named) ?? 0) + 1,
    message: `there is no variable ${name}`,
    hint: "`firstlight query` prints those that there are; `default` names a value for the others",
  };
}
