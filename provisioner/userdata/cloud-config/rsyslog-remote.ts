import type { Input } from "../input.ts";

const form = /^(?:(\S+)\s+)?(@{0,2})(?:\[([^\]\s]+)\]|([^:\s@[\]]+))(?::([0-9]{1,5}))?$/;

/** A line of rsyslog for a server (`parse_remotes_line`); `undefined` with a finding where it is none. */
export function readRemote(input: Input, name: string): string | undefined {
  const text = input.text();
  if (text === undefined) return undefined;
  const [spec = ""] = text.split(/ *#+ */);
  const [, filter = "*.*", at, bracketed, plain, port] = form.exec(spec.trim()) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) {
    input.expected(
      "a server",
      "write `[FILTER] [@|@@]HOST[:PORT]`, an IPv6 address in brackets",
      "something else",
    );
    return undefined;
  }
  const place = host.includes(":") ? `[${host}]` : host;
  const comment = name.replace(/[^ -~]/g, " ");
  return `# ${comment}\n${filter} ${at === "@@" ? "@@" : "@"}${place}${port === undefined ? "" : `:${port}`}`;
}
