import type { Input } from "../input.ts";

/**
 * Permission bits as four octal digits; `0644` when absent, `0600` when they cannot be read. A
 * number is what YAML made of it: `0644` is octal already, and `644` another mode than it looks.
 */
export function readMode(input: Input | undefined): string {
  if (input === undefined) return "0644";
  const { value } = input;
  const bits = typeof value === "string" ? octal(value) : value;
  if (typeof bits !== "number" || !Number.isInteger(bits) || bits < 0 || bits > 0o7777) {
    input.expected(
      "permission bits",
      'write three or four digits from 0 to 7 in quotes, such as "0644"',
    );
    return "0600";
  }
  input.mark("translated");
  if (typeof value === "number" && !isWrittenInOctal({ value, written: input.written() ?? "" })) {
    input.add("warning", {
      code: "cloud-config/decimal-mode",
      message: "this is a decimal number, which is another mode than it looks",
      hint: 'write the octal digits in quotes, such as "0644"',
    });
  }
  return bits.toString(8).padStart(4, "0");
}

function octal(text: string): number | undefined {
  const [, digits] = /^\s*(?:0[oO])?([0-7]{1,5})\s*$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number.parseInt(digits, 8);
}

function isWrittenInOctal({ value, written }: { value: unknown; written: string }): boolean {
  const [digits = ""] = /^0[0-7_]*(?![0-9.])/.exec(written) ?? [];
  return Number.parseInt(digits.replaceAll("_", ""), 8) === value;
}
