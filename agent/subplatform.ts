import type { Instance } from "./datasources/datasource.ts";

/** Datasources whose kind of place cloud-init calls otherwise than by what the place is. */
const kinds: Readonly<Record<string, string>> = {
  CloudSigma: "cepko",
  LXD: "LXD socket API v. 1.0",
  MAAS: "seed-dir",
  OVF: "ovf",
  SmartOS: "serial",
};

/** Places that have a name of cloud-init's own. */
const named: Readonly<Record<string, string>> = {
  "OVF guestinfo.ovfEnv": "ovf (com.vmware.guestInfo)",
  "VMware guestinfo": "guestinfo (guestinfo.metadata)",
  "VMware environment of process 1": "envvar (VMX_GUESTINFO_METADATA)",
};

/** What NoCloud's meta-data of one line is called. */
const lines: Readonly<Record<string, string>> = {
  "system serial number": "dmi",
  "kernel command line": "cmdline",
};

/**
 * `subplatform` as cloud-init writes it: the kind of the place and the place, such as
 * `metadata (http://169.254.169.254)` or `config-disk (/dev/sr0)`. Of several places the first has the kind.
 */
export function subplatformOf({ name, place }: Instance["datasource"]): string {
  const whole = named[`${name} ${place}`];
  if (whole !== undefined) return whole;
  if (name === "Azure" && /^https?:/.test(place)) return "imds (IMDS)";
  const sources = place.split(", ").map(sourceOf);
  return `${kinds[name] ?? kindOf(sources[0] ?? "", place)} (${sources.join(",")})`;
}

/** The path or address in the words of a place. */
function sourceOf(place: string): string {
  const [, source] =
    /^(?:(?:seed )?directory |disk |seedfrom |credential |unix:|serial:)(.*)$/.exec(place) ?? [];
  return lines[place] ?? source ?? place;
}

function kindOf(source: string, place: string): string {
  if (place.startsWith("credential ")) return "credential";
  if (source.startsWith("/dev/")) return "config-disk";
  return /^https?:/.test(place) ? "metadata" : "seed-dir";
}
