import { type RenderedTemplate, renderTemplate } from "./interpreter.ts";

/** What the child is given, as JSON. */
export interface TemplateRequest {
  readonly template: string;
  readonly variables: { readonly [name: string]: unknown };
}

/** What it answers: the text with the variables that there are not, or why there is none. */
export type TemplateAnswer = RenderedTemplate | { readonly problem: string };

const longestProblem = 200;

/** Renders one template. Run in a process of its own by `render.ts`, which ends it at a deadline. */
export function answerTemplate({ template, variables }: TemplateRequest): TemplateAnswer {
  try {
    return renderTemplate(template, variables);
  } catch (error) {
    const problem = error instanceof Error ? error.message : "it cannot be read";
    return { problem: problem.slice(0, longestProblem) };
  }
}
