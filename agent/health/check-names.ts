import { shownPath } from "#core/shown-path.ts";
import type { Check } from "#generated/provisioner/spec/v1.ts";

/**
 * What a check is called wherever one reads of it: `http http://127.0.0.1:8080/health`. Holds nothing
 * that may be secret: of an address neither user nor password nor query, and of its path no piece that looks like a
 * token; of a command no argument.
 */
export function nameOfCheck(check: Check): string {
  switch (check.type) {
    case "file":
    case "disk":
      return `${check.type} ${check.path}`;
    case "unit":
      return `unit ${check.unit}`;
    case "command":
      return `command ${check.command[0] ?? ""}`;
    case "tcp":
      return `tcp ${check.host} port ${check.port}`;
    case "http":
      return `http ${withoutSecrets(check.url)}`;
    case "dns":
      return `dns ${check.name}`;
    default:
      return check.type;
  }
}

/** Names of checks in their order, the second of the same name with a 2: the same for the same list. */
export function nameChecks(checks: readonly Check[]): readonly string[] {
  const met = new Map<string, number>();
  return checks.map((check) => {
    const name = nameOfCheck(check);
    const count = (met.get(name) ?? 0) + 1;
    met.set(name, count);
    return count === 1 ? name : `${name} (${count})`;
  });
}

function withoutSecrets(address: string): string {
  const url = URL.parse(address);
  return url === null
    ? "an address that cannot be parsed"
    : `${url.origin}${shownPath(url.pathname)}`;
}
