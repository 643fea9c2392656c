import type { Coverage } from "./translation.ts";

/** Of a document without a leaf. */
export const noCoverage: Coverage = { translated: 0, agent: 0, unsupported: 0 };

/** The coverage of several documents together. */
export function addUp(all: readonly Coverage[]): Coverage {
  const sum = (fate: keyof Coverage) => all.reduce((total, part) => total + part[fate], 0);
  return { translated: sum("translated"), agent: sum("agent"), unsupported: sum("unsupported") };
}
