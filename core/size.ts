const units: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Bytes of a size like `2GiB` or `512MiB`; `undefined` when it is none. */
export function parseSize(text: string): number | undefined {
  const [, count, unit] = /^([0-9]{1,9})(B|KiB|MiB|GiB|TiB)$/.exec(text) ?? [];
  const factor = units[unit ?? ""];
  return count === undefined || factor === undefined ? undefined : Number(count) * factor;
}
