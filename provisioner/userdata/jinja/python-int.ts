import type { Value } from "./python-text.ts";

const whole = /^\s*[+-]?\d+(?:_\d+)*\s*$/;
const broken = /^\s*[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+)?\s*$/;

/**
 * What Jinja2's filter `int` makes of a value (`jinja2.filters.do_int`); `undefined` where that is no
 * number. Of a number with a fraction the whole part stays.
 */
export function pythonInt({ type, value }: Value): number | undefined {
  switch (type) {
    case "IntegerValue":
      return value as number;
    case "FloatValue":
      return truncated(value as number);
    case "BooleanValue":
      return value === true ? 1 : 0;
    case "StringValue": {
      const text = String(value);
      if (!whole.test(text) && !broken.test(text)) return undefined;
      return truncated(Number(text.replaceAll("_", "")));
    }
    default:
      return undefined;
  }
}

/** Without a sign where nothing is left: Python has one zero of this kind. */
function truncated(value: number): number | undefined {
  return Number.isFinite(value) ? Math.trunc(value) + 0 : undefined;
}
