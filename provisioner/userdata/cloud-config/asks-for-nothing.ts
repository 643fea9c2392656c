import type { Json } from "#core/canonical-json.ts";

/** Keys for which nothing is needed on NixOS, whatever their value is. */
const unneeded: ReadonlySet<string> = new Set([
  "debug",
  "launch-index",
  "log_cfgs",
  "output",
  "syslog_fix_perms",
  "warnings",
]);

/**
 * Whether a key that is not translated asks for nothing with this value, so that nothing is lost:
 * it is empty, or there is nothing on NixOS that needs it.
 */
export function asksForNothing(key: string, value: Json): boolean {
  return isEmpty(value) || unneeded.has(key);
}

function isEmpty(value: Json): boolean {
  return (
    value === "" || value === null || (typeof value === "object" && Object.keys(value).length === 0)
  );
}
