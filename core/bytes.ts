const unitBytes: Readonly<Record<string, number>> = {
  "": 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};

/** Bytes of a size like `512M`, `2G`, `4096`, as systemd reads it; `undefined` when it is none. */
export function parseBytes(text: string): number | undefined {
  const [, count, unit = ""] = /^([0-9]{1,12})([KMGT]?)$/.exec(text) ?? [];
  const factor = unitBytes[unit];
  return count === undefined || factor === undefined ? undefined : Number(count) * factor;
}

/** Bytes of an optional size that a schema has checked already, or `fallback`. */
export function bytesOf(text: string | undefined, fallback: number): number {
  return text === undefined ? fallback : (parseBytes(text) ?? fallback);
}

/** Bytes for a person: `12 B`, `3.4 MiB`, `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
