/** A unit that failed, and how long ago where systemd says it. */
export interface FailedUnit {
  readonly unit: string;
  readonly agoMs: number | null;
}

/** systemd's own limit for a unit's name. */
const unitName = /^[A-Za-z0-9:_.\\@-]{1,255}$/;
const maxUnits = 500;

/** Names in `systemctl list-units --failed --plain --no-legend`: the first word of each line. */
export function parseFailedUnits(output: string): readonly string[] {
  return output
    .split("\n")
    .map((line) => line.trim().split(/\s+/)[0] ?? "")
    .filter((name) => unitName.test(name))
    .slice(0, maxUnits);
}

/**
 * Reads `systemctl show --property=Id,InactiveEnterTimestampMonotonic UNIT…`: blocks with an empty
 * line between them, the time in microseconds since the machine was started.
 */
export function parseFailedSince(
  units: readonly string[],
  output: string,
  uptimeMs: number | null,
): readonly FailedUnit[] {
  const times = new Map<string, number>();
  for (const block of output.split("\n\n")) {
    const id = /^Id=(.*)$/m.exec(block)?.[1];
    const micros = Number(/^InactiveEnterTimestampMonotonic=(\d{1,16})$/m.exec(block)?.[1] ?? 0);
    if (id !== undefined && micros > 0) times.set(id, micros / 1000);
  }
  return units.map((unit) => {
    const at = times.get(unit);
    const known = at !== undefined && uptimeMs !== null;
    return { unit, agoMs: known ? Math.max(0, uptimeMs - at) : null };
  });
}

/** Milliseconds since the machine was started, from the text of /proc/uptime. */
export function parseUptime(text: string | undefined): number | null {
  const seconds = Number(text?.trim().split(" ")[0] ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1000 : null;
}
