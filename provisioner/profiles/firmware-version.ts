/**
 * Compares versions of firmware as their makers count: numbers as numbers (`3.5` is `03.05`), and a
 * version with a word behind it (`03.01 T04`, a test build) before the same one without. Negative
 * when `a` is older, 0 when equal, positive when newer.
 */
export function compareFirmwareVersions(a: string, b: string): number {
  const left = parse(a);
  const right = parse(b);
  const length = Math.max(left.numbers.length, right.numbers.length);
  for (let at = 0; at < length; at++) {
    const difference = (left.numbers[at] ?? 0) - (right.numbers[at] ?? 0);
    if (difference !== 0) return difference;
  }
  if (left.suffix === right.suffix) return 0;
  if (left.suffix === "") return 1;
  if (right.suffix === "") return -1;
  return left.suffix < right.suffix ? -1 : 1;
}

interface Version {
  readonly numbers: readonly number[];
  readonly suffix: string;
}

function parse(text: string): Version {
  const [, numbers = "", suffix = ""] = /^[^0-9]*([0-9.]*)(.*)$/su.exec(text.trim()) ?? [];
  return {
    numbers: numbers
      .split(".")
      .filter((part) => part !== "")
      .map((part) => Number(part.slice(0, 15))),
    suffix: suffix.trim().toLowerCase(),
  };
}
