import type { Input } from "../input.ts";

const factors: Readonly<Record<string, number>> = {
  B: 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};

/** Bytes as cloud-init reads them (`human2bytes`): a number of them, or one with B, K, M, G or T, of 1024 each. */
export function readByteSize(input: Input): number | undefined {
  const { value } = input;
  const [, digits, unit = "B"] =
    typeof value === "string" ? (/^([0-9]*\.?[0-9]+)([BKMGT])?$/.exec(value.trim()) ?? []) : [];
  const bytes =
    typeof value === "number" ? value : Number(digits ?? Number.NaN) * (factors[unit] ?? 1);
  if (Number.isFinite(bytes) && bytes >= 0 && bytes <= Number.MAX_SAFE_INTEGER) {
    input.mark("translated");
    return Math.floor(bytes);
  }
  input.expected("a size", "write it as `512M` or `2G`", "something else");
  return undefined;
}
