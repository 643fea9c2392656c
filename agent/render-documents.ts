import { counted } from "#core/count.ts";
import type { Finding } from "#core/finding.ts";
import type { TemplateAnswer } from "#provisioner/userdata/jinja/child.ts";
import type { MissingVariable, RenderedTemplate } from "#provisioner/userdata/jinja/template.ts";
import { templateProblems } from "#provisioner/userdata/jinja/template-problem.ts";
import type { Documents } from "#provisioner/userdata/translate.ts";
import type { RawDocument } from "#provisioner/userdata/translation.ts";
import { decodeUserData, sniff } from "#provisioner/userdata/user-data-format.ts";
import { softenVendorFinding } from "#provisioner/userdata/vendor-data.ts";
import type { Instance } from "./datasources/datasource.ts";

/** Renders a template over what the datasource says of the instance, in bounded time and memory. */
export type RenderTemplate = (template: string, instance: Instance) => Promise<TemplateAnswer>;

/** How many variables that are not there are named. */
const mostNamed = 20;
/** In how many lines of a block a name is looked for. */
const longestBlock = 20;
/** A variable as a person writes it; anything else may be more than a name. */
const nameOfVariable = /^[A-Za-z_][\w-]{0,63}$/;

/** The documents that may be templates. */
const templated = ["userData", "vendorData", "vendorData2"] as const;

/**
 * Renders user-data and vendor-data that begin with `## template: jinja`; what one is then says its next
 * line. One that cannot be rendered is left out: with an error, or of vendor-data with a warning.
 */
export async function renderDocuments(
  documents: Documents,
  instance: Instance,
  render: RenderTemplate,
): Promise<{ readonly documents: Documents; readonly findings: readonly Finding[] }> {
  let rendered = documents;
  const findings: Finding[] = [];
  for (const name of templated) {
    const one = await renderDocument(documents[name], (template) => render(template, instance));
    if (one === undefined) continue;
    rendered = { ...rendered, [name]: one.raw };
    findings.push(...(name === "userData" ? one.findings : one.findings.map(softenVendorFinding)));
  }
  return { documents: rendered, findings };
}

interface RenderedDocument {
  /** Absent where it cannot be rendered. */
  readonly raw: RawDocument | undefined;
  readonly findings: readonly Finding[];
}

/** `undefined` where the document is no template. */
async function renderDocument(
  raw: RawDocument | undefined,
  render: (template: string) => Promise<TemplateAnswer>,
): Promise<RenderedDocument | undefined> {
  const text = raw === undefined ? undefined : decodeUserData(raw).text;
  if (raw === undefined || text === undefined || sniff(text) !== "jinja") return undefined;
  const trimmed = text.trimStart();
  const template = trimmed.slice(trimmed.indexOf("\n") + 1 || trimmed.length);
  const answer = await render(template);
  const before = linesOf(text.slice(0, text.length - trimmed.length)) + 1;
  if ("problem" in answer) {
    const { kind, line } = answer;
    const finding: Finding = {
      ...{ document: raw.document, path: "", column: 1, level: "error" },
      line: line === undefined ? 1 : before + line,
      code: "user-data/template-failed",
      message: `the template cannot be rendered: ${templateProblems[kind]}`,
      hint: "`tail -n +2 FILE | firstlight query --format -` says more, with FILE the template",
    };
    return { raw: undefined, findings: [finding] };
  }
  const bytes = Buffer.from(keepLines(answer.text, before));
  const findings = missingIn(answer.missing, raw.document, { text, before });
  return { raw: { ...raw, bytes }, findings };
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

/** Those that a name can be told of, and how many there are beside them; `before` are lines of the header. */
function missingIn(
  all: RenderedTemplate["missing"],
  document: string,
  { text, before }: { readonly text: string; readonly before: number },
): readonly Finding[] {
  const code = "user-data/template-variable";
  const hint =
    "`firstlight query` prints those that there are; `default` names a value for the others";
  const lines = text.split("\n");
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
  const rest = { document, path: "", line: 1, column: 1, level: "warning", code, message, hint };
  return [...findings, rest as Finding];
}

/** Where a name stands in the block that uses it, or where the block begins. */
function placeOf(
  { name, line, column = 1 }: MissingVariable,
  lines: readonly string[],
  before: number,
): Pick<Finding, "line" | "column"> {
  if (line === undefined) return { line: 1, column: 1 };
  const named = new RegExp(`(?<![\\w-])${name}(?![\\w-])`);
  const first = before + line - 1;
  for (const [index, whole] of lines.slice(first, first + longestBlock).entries()) {
    const skipped = index === 0 ? column - 1 : 0;
    const at = whole.slice(skipped).search(named);
    if (at !== -1) return { line: first + index + 1, column: skipped + at + 1 };
  }
  return { line: first + 1, column };
}
