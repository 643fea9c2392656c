import type { Json } from "#core/canonical-json.ts";

/** Keys for which nothing is needed on NixOS, whatever their value is. */
const unneeded: ReadonlySet<string> = new Set([
  "authkey_hash",
  "debug",
  "launch-index",
  "log_cfgs",
  "merge_how",
  "merge_type",
  "output",
  "ssh_fp_console_blacklist",
  "ssh_key_console_blacklist",
  "ssh_quiet_keygen",
  "syslog_fix_perms",
  "warnings",
]);

/** Values that ask for what is so anyway. */
const alreadySo: Readonly<Record<string, (value: Json) => boolean>> = {
  chpasswd: only("expire", isFalse),
  no_ssh_fingerprints: (value) => value === true,
  ssh: only("emit_keys_to_console", isFalse),
  ssh_deletekeys: isFalse,
  ssh_publish_hostkeys: (value) => isFalse(member(value, "enabled")),
};

/**
 * Whether a key that is not translated asks for nothing with this value, so that nothing is lost:
 * it is empty, or is so on NixOS anyway, or there is nothing on NixOS that needs it.
 */
export function asksForNothing(key: string, value: Json): boolean {
  if (isEmpty(value) || unneeded.has(key)) return true;
  return Object.hasOwn(alreadySo, key) && alreadySo[key]?.(value) === true;
}

function isEmpty(value: Json): boolean {
  return (
    value === "" || value === null || (typeof value === "object" && Object.keys(value).length === 0)
  );
}

function isFalse(value: Json | undefined): boolean {
  return value === false;
}

function member(value: Json, key: string): Json | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, key) ? (value as { readonly [key: string]: Json })[key] : undefined;
}

/** A mapping that says nothing but this one thing. */
function only(key: string, holds: (value: Json | undefined) => boolean): (value: Json) => boolean {
  return (value) => holds(member(value, key)) && Object.keys(value ?? {}).length === 1;
}
