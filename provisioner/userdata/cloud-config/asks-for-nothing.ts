import type { Json } from "#core/canonical-json.ts";

/** Keys for which nothing is needed on NixOS, whatever their value is. */
const unneeded: ReadonlySet<string> = new Set([
  "apt_pipelining",
  "apt_reboot_if_required",
  "apt_update",
  "debug",
  "launch-index",
  "log_cfgs",
  "manage_etc_hosts",
  "merge_how",
  "merge_type",
  "output",
  "package_reboot_if_required",
  "package_update",
  "syslog_fix_perms",
  "warnings",
]);

/** Values that ask for what is so anyway. */
const alreadySo: Readonly<Record<string, (value: Json) => boolean>> = {
  apt_upgrade: isFalse,
  byobu_by_default: (value) => typeof value === "string" && value.startsWith("disable"),
  "grub-dpkg": only("enabled", isFalse),
  grub_dpkg: only("enabled", isFalse),
  growpart: (value) => isFalse(value) || isOff(member(value, "mode")),
  manage_resolv_conf: isFalse,
  package_upgrade: isFalse,
  resize_rootfs: isFalse,
  vendor_data: (value) => isFalse(member(value, "enabled")),
  vendor_data2: (value) => isFalse(member(value, "enabled")),
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

/** What cloud-init's growpart takes for off. */
function isOff(value: Json | undefined): boolean {
  return value === false || value === "off";
}

function member(value: Json, key: string): Json | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, key) ? (value as { readonly [key: string]: Json })[key] : undefined;
}

/** A mapping that says nothing but this one thing. */
function only(key: string, holds: (value: Json | undefined) => boolean): (value: Json) => boolean {
  return (value) => holds(member(value, key)) && Object.keys(value ?? {}).length === 1;
}
