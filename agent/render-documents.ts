import { counted } from "#core/count.ts";
import type { Finding } from "#core/finding.ts";
import type { TemplateAnswer } from "#provisioner/userdata/jinja/child.ts";
import type { MissingVariable, RenderedTemplate } from "#provisioner/userdata/jinja/template.ts";
import { templateProblems } from "#provisioner/userdata/jinja/template-problem.ts";
import type { TemplatePart } from "#provisioner/userdata/parts/part.ts";
import type { Instance } from "./datasources/datasource.ts";

/** Renders a template over what the datasource says of the instance, in bounded time and memory. */
export type RenderTemplate = (template: string, instance: Instance) => Promise<TemplateAnswer>;

/** How many variables that are not there are named. */
const mostNamed = 20;
/** In how many lines of a block a name is looked for. */
const longestBlock = 20;
/** A variable as a person writes it; anything else may be more than a name. */
const nameOfVariable = /^[A-Za-z_][\w-]{0,63}$/;

/** What a template is rendered to, `null` where it cannot be; and what is said of it. */
export interface RenderedPart {
  readonly text: string | null;
  readonly findings: readonly Finding[];
}

/** Renders one part of a document that begins with `## template: jinja`. */
export async function renderPart(
  { document, template, firstLine }: TemplatePart,
  render: (template: string) => Promise<TemplateAnswer>,
): Promise<RenderedPart> {
  const answer = await render(template);
  const before = firstLine - 1;
  if ("problem" in answer) {
    const { kind, line } = answer;
    const finding: Finding = {
      ...{ document, path: "", column: 1, level: "error" },
      line: line === undefined ? before : before + line,
      code: "user-data/template-failed",
      message: `the template cannot be rendered: ${templateProblems[kind]}`,
      hint: "`tail -n +2 FILE | firstlight query --format -` says more, with FILE the template",
    };
    return { text: null, findings: [finding] };
  }
  return { text: answer.text, findings: missingIn(answer.missing, document, { template, before }) };
}

/** Those that a name can be told of, and how many there are beside them; `before` is the line of the header, which those of the template follow. */
function missingIn(
  all: RenderedTemplate["missing"],
  document: string,
  { template, before }: { readonly template: string; readonly before: number },
): readonly Finding[] {
  const code = "user-data/template-variable";
  const hint =
    "`firstlight query` prints those that there are; `default` names a value for the others";
  const lines = template.split("\n");
  const named = all.filter(({ name }) => nameOfVariable.test(name)).slice(0, mostNamed);
  const findings = named.map((variable): Finding => {
    const { name, isPrinted } = variable;
    const taken = isPrinted ? "" : ", it is taken for nothing";
    const message = `there is no variable ${name}${taken}`;
    const level = isPrinted ? "warning" : "note";
    return { document, path: "", ...placeOf(variable, lines, before), level, code, message, hint };
  });
  const others = all.length - named.length;
  if (others === 0) return findings;
  const message = `there is nothing behind ${counted(others, "further key")}`;
  const place = { document, path: "", line: before, column: 1 };
  return [...findings, { ...place, level: "warning", code, message, hint }];
}

/** Where a name stands in the block that uses it, or where the block begins. */
function placeOf(
  { name, line, column = 1 }: MissingVariable,
  lines: readonly string[],
  before: number,
): Pick<Finding, "line" | "column"> {
  if (line === undefined) return { line: before, column: 1 };
  const named = new RegExp(`(?<![\\w-])${name}(?![\\w-])`);
  const first = line - 1;
  for (const [index, whole] of lines.slice(first, first + longestBlock).entries()) {
    const skipped = index === 0 ? column - 1 : 0;
    const at = whole.slice(skipped).search(named);
    if (at !== -1) return { line: before + line + index, column: skipped + at + 1 };
  }
  return { line: before + line, column };
}
