import { numberOf } from "./equality.ts";
import type { Value } from "./python-text.ts";
import { TemplateProblem } from "./template-problem.ts";

/** A number with its kind. */
export interface Quotient {
  readonly value: number;
  readonly isFloat: boolean;
}

/**
 * What Python's `/`, `//` and `%` come to; `undefined` for another operator and for what is no number.
 * Throws a {@link TemplateProblem} for a division by zero.
 */
export function divide(operator: unknown, left: Value, right: Value): Quotient | undefined {
  const division = divisions.get(operator);
  const [dividend, divisor] = [numberOf(left), numberOf(right)];
  if (division === undefined || dividend === undefined || divisor === undefined) return undefined;
  if (divisor === 0) throw new TemplateProblem("division", "division by zero");
  const isFloat = operator === "/" || [left, right].some(({ type }) => type === "FloatValue");
  const value = division(dividend, divisor);
  return { value: isFloat ? value : value + 0, isFloat };
}

const divisions: ReadonlyMap<unknown, (left: number, right: number) => number> = new Map([
  ["/", (left, right) => left / right],
  ["//", floor],
  ["%", remainder],
]);

/** With the sign of the divisor, zero too. */
function remainder(left: number, right: number): number {
  const rest = left % right;
  if (rest === 0) return right < 0 ? -0 : 0;
  return rest < 0 !== right < 0 ? rest + right : rest;
}

/** From the remainder, which is exact: `1 // 0.1` is 9.0, as 0.1 is a little more than a tenth. */
function floor(left: number, right: number): number {
  const quotient = (left - remainder(left, right)) / right;
  if (quotient === 0) return left < 0 !== right < 0 ? -0 : 0;
  const below = Math.floor(quotient);
  return quotient - below > 0.5 ? below + 1 : below;
}
