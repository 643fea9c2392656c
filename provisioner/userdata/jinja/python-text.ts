import { pythonFloat } from "../python-float.ts";
import { TemplateProblem } from "./template-problem.ts";

/** A value at run time, as far as it is printed. */
export interface Value {
  readonly type: string;
  readonly value: unknown;
}

/** A value as Python's `str` has it. */
export function pythonText(value: Value): string {
  return value.type === "StringValue" ? String(value.value) : represent(value);
}

/** A value as Python's `repr` has it. */
function represent({ type, value }: Value): string {
  switch (type) {
    case "BooleanValue":
      return value === true ? "True" : "False";
    case "NullValue":
      return "None";
    case "StringValue":
      return quoted(String(value));
    case "IntegerValue":
      return exact(Number(value));
    case "FloatValue":
      return pythonFloat(Number(value));
    case "ArrayValue":
      return `[${(value as readonly Value[]).map(represent).join(", ")}]`;
    case "TupleValue": {
      const all = (value as readonly Value[]).map(represent);
      return all.length === 1 ? `(${all[0]},)` : `(${all.join(", ")})`;
    }
    case "ObjectValue": {
      const entries = [...(value as ReadonlyMap<string, Value>)];
      return `{${entries.map(([key, each]) => `${quoted(key)}: ${represent(each)}`).join(", ")}}`;
    }
    case "UndefinedValue":
      return "Undefined";
    case "FunctionValue":
      return "<function>";
    default:
      return String(value);
  }
}

/** A whole number. Throws a {@link TemplateProblem} for one that JavaScript may have rounded. */
function exact(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  throw new TemplateProblem("number", "a whole number is beyond 2**53");
}

const escapes: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = [...text].map((character) => {
    const known = escapes[character] ?? (character === quote ? `\\${quote}` : undefined);
    if (known !== undefined) return known;
    const code = character.codePointAt(0) ?? 0;
    const isControl = code < 0x20 || (code >= 0x7f && code < 0xa1) || code === 0xad;
    return isControl ? `\\x${code.toString(16).padStart(2, "0")}` : character;
  });
  return `${quote}${escaped.join("")}${quote}`;
}
