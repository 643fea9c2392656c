/**
 * A slot of the kernel (hexadecimal) as X servers write it (decimal): `0000:c1:00.0` is
 * `PCI:193:0:0`. A domain other than 0 stands behind the bus. `null` of what is no slot.
 * Source: xorg.conf(5), `BusID`.
 */
export function busIdOf(slot: string): string | null {
  const parts = /^([0-9a-f]{4,8}):([0-9a-f]{2}):([01][0-9a-f])\.([0-7])$/.exec(slot);
  if (parts === null) return null;
  const [domain = 0, bus = 0, device = 0, fn = 0] = parts
    .slice(1)
    .map((digits) => Number.parseInt(digits, 16));
  return `PCI:${bus}${domain === 0 ? "" : `@${domain}`}:${device}:${fn}`;
}
