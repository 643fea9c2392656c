import { type RenderedTemplate, renderTemplate } from "./template.ts";
import { problemOf, type TemplateProblemKind } from "./template-problem.ts";

/** What the child is given, as JSON. */
export interface TemplateRequest {
  readonly template: string;
  readonly variables: { readonly [name: string]: unknown };
}

/** What it answers: the text with the variables that there are not, or why there is none. */
export type TemplateAnswer = RenderedTemplate | TemplateFailure;

/** Why there is no text. */
export interface TemplateFailure {
  readonly kind: TemplateProblemKind;
  /** May hold something of the template. */
  readonly problem: string;
  /** Line of the template, from 1; absent where none is to blame. */
  readonly line?: number;
}

const longestProblem = 200;

/** Renders one template. Run in a process of its own by `render.ts`, which ends it at a deadline. */
export function answerTemplate({ template, variables }: TemplateRequest): TemplateAnswer {
  let line: number | undefined;
  try {
    return renderTemplate(template, variables, (at) => {
      line = at;
    });
  } catch (error) {
    const { kind, message } = problemOf(error, "other");
    const problem = message.slice(0, longestProblem);
    return { kind, problem, ...(line === undefined ? {} : { line }) };
  }
}
