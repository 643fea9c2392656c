import type { Plan } from "./system.ts";

/** What `switch-to-configuration dry-activate` says would happen. */
export interface Preview {
  readonly units: Plan["units"];
  /** Changes that would not take effect, as it says them. */
  readonly warnings: readonly string[];
}

const lists: ReadonlyMap<string, keyof Plan["units"]> = new Map([
  ["would stop the following units", "stop"],
  ["would start the following units", "start"],
  ["would restart the following units", "restart"],
  ["would reload the following units", "reload"],
]);

/** systemd's own limit for a unit's name. */
const unitName = /^[A-Za-z0-9:_.\\@-]{1,255}$/;
const maxUnits = 2_000;
const maxWarnings = 50;

/**
 * Reads the output of `dry-activate`, of the Perl and the Rust form alike. Lines that are not
 * known (what activation scripts print) are passed over; names that are none are left out.
 */
export function parseDryActivate(output: string): Preview {
  const units = {
    start: new Set<string>(),
    stop: new Set<string>(),
    restart: new Set<string>(),
    reload: new Set<string>(),
  };
  const warnings: string[] = [];
  for (const raw of output.split("\n")) {
    const line = raw.trim();
    const colon = line.indexOf(":");
    const list = lists.get(line.slice(0, Math.max(0, colon)));
    if (list !== undefined) {
      for (const name of line.slice(colon + 1).split(",")) {
        const unit = name.trim();
        if (unitName.test(unit) && units[list].size < maxUnits) units[list].add(unit);
      }
    } else if (/^would NOT (stop|restart|reload) /.test(line) || line === "would restart systemd") {
      if (warnings.length < maxWarnings) warnings.push(line.slice(0, 1_000));
    }
  }
  return {
    units: {
      start: [...units.start].sort(),
      stop: [...units.stop].sort(),
      restart: [...units.restart].sort(),
      reload: [...units.reload].sort(),
    },
    warnings,
  };
}
