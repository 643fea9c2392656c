/** The template of a text, and how many lines stand before it. */
export interface FoundTemplate {
  readonly template: string;
  readonly linesBefore: number;
}

/** What follows the line `## template: jinja`; `undefined` where the text does not begin with it. */
export function templateIn(text: string): FoundTemplate | undefined {
  const trimmed = text.trimStart();
  if (!/^## template: jinja/i.test(trimmed)) return undefined;
  const end = trimmed.indexOf("\n") + 1 || trimmed.length;
  const before = text.slice(0, text.length - trimmed.length + end);
  return { template: trimmed.slice(end), linesBefore: before.split("\n").length - 1 };
}
