import { missingPrefix, renderTemplate } from "./interpreter.ts";

/** What the child is given, as JSON. */
export interface TemplateRequest {
  readonly template: string;
  readonly variables: { readonly [name: string]: unknown };
}

/** What it answers: the text with the names that there are no variables of, or why there is none. */
export type TemplateAnswer =
  | { readonly text: string; readonly missing: readonly string[] }
  | { readonly problem: string };

const longestProblem = 200;

/** Renders one template. Run in a process of its own by `render.ts`, which ends it at a deadline. */
export function answerTemplate({ template, variables }: TemplateRequest): TemplateAnswer {
  try {
    const text = renderTemplate(template, variables);
    const found = text.matchAll(new RegExp(`${missingPrefix}(\\S+)`, "g"));
    return { text, missing: [...new Set([...found].map(([, name = ""]) => name))] };
  } catch (error) {
    const problem = error instanceof Error ? error.message : "it cannot be read";
    return { problem: problem.slice(0, longestProblem) };
  }
}
