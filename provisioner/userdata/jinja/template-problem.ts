/** Why a template is not rendered, in words that hold nothing of the template or what it knows. */
export const templateProblems = {
  syntax: "it is not written as Jinja is, or uses what is not there",
  undefined: "it reaches into a variable that there is not",
  division: "it divides by zero",
  number: "it has a whole number that is too large to be exact",
  limits: "it takes too much time or memory, or becomes too long",
  other: "a filter, test or operator does not take what it is given",
} as const;

/** One of the reasons of {@link templateProblems}. */
export type TemplateProblemKind = keyof typeof templateProblems;

/** A template that cannot be rendered; the message may hold something of it. */
export class TemplateProblem extends Error {
  readonly kind: TemplateProblemKind;

  constructor(kind: TemplateProblemKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** What the library throws, and what V8 throws for what the library does not expect. */
export function problemOf(error: unknown, kind: TemplateProblemKind): TemplateProblem {
  if (error instanceof TemplateProblem) return error;
  if (error instanceof RangeError)
    return new TemplateProblem("limits", "it is too large, or nested too deeply");
  if (error instanceof TypeError)
    return kind === "syntax"
      ? new TemplateProblem(kind, "it ends within a block, or before the end of a statement")
      : new TemplateProblem(kind, "a filter, test or function is not given what it takes");
  return new TemplateProblem(kind, error instanceof Error ? error.message : "it cannot be read");
}
