/** What the name of a store path says. */
export interface PackageName {
  readonly name: string;
  /** Empty where the name has none, as of a unit or a file of /etc. */
  readonly version: string;
  /** `out`, or the output that the name ends in. */
  readonly output: string;
}

/** Outputs of nixpkgs' packages that stand at the end of a path's name. */
const outputs = new Set([
  ...["bin", "data", "debug", "dev", "devdoc", "dist", "doc", "include", "info", "lib", "lib32"],
  ...["lib64", "man", "py", "static", "terminfo", "modules", "nss", "dnsutils", "host", "getent"],
]);

/**
 * Reads the name of a store path as Nix splits a derivation's (`builtins.parseDrvName`): the version
 * begins behind the first dash that no letter follows. The output at the end is told apart only
 * where it is one that nixpkgs has; else it stays in the version.
 */
export function packageName(storePath: string): PackageName {
  const whole = storePath.slice(storePath.lastIndexOf("/") + 1).replace(/^[0-9a-z]{32}-/, "");
  const [, stem = whole, output = "out"] = /^(.+)-([a-z0-9]+)$/.exec(whole) ?? [];
  const named = splitVersion(outputs.has(output) ? stem : whole);
  // A name without a version may well end like an output: `etc-hosts-bin` is no output of `etc-hosts`.
  if (!outputs.has(output)) return { ...named, output: "out" };
  return named.version === "" ? { ...splitVersion(whole), output: "out" } : { ...named, output };
}

function splitVersion(text: string): Pick<PackageName, "name" | "version"> {
  const dash = /-[^A-Za-z]/.exec(text)?.index;
  if (dash === undefined) return { name: text, version: "" };
  return { name: text.slice(0, dash), version: text.slice(dash + 1) };
}

/**
 * Negative when `a` is the older version, as `builtins.compareVersions` decides; 0 when neither is.
 * Numbers may have any length here.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [components(a), components(b)];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const [one, other] = [left[at] ?? "", right[at] ?? ""];
    if (isOlder(one, other)) return -1;
    if (isOlder(other, one)) return 1;
  }
  return 0;
}

/** Runs of digits, and runs of anything else but dots and dashes. */
function components(version: string): readonly string[] {
  return version.match(/[0-9]+|[^0-9.-]+/g) ?? [];
}

/** `pre` is older than nothing, nothing older than a number, a word older than a number. */
function isOlder(one: string, other: string): boolean {
  const [number, otherNumber] = [asNumber(one), asNumber(other)];
  if (number !== undefined && otherNumber !== undefined) return number < otherNumber;
  if (one === "" && otherNumber !== undefined) return true;
  if (one === "pre" && other !== "pre") return true;
  if (other === "pre") return false;
  if (otherNumber !== undefined) return true;
  return number === undefined && one < other;
}

function asNumber(component: string): bigint | undefined {
  return /^[0-9]+$/.test(component) ? BigInt(component) : undefined;
}
