import type { Network } from "#generated/provisioner/spec/v1.ts";
import type { Concern } from "./assignment.ts";
import { checked, type TextRule, textRules } from "./text-rules.ts";

/** What a text of the network must be, by its key; texts that the schema holds to a form need none. */
const rules: Readonly<Record<string, TextRule>> = {
  name: textRules.linkName,
  driver: textRules.linkNames,
  to: textRules.destination,
  via: textRules.gateway,
  from: textRules.destination,
  broadcast: textRules.address,
  peer: textRules.destination,
  local: textRules.address,
  remote: textRules.address,
  label: textRules.linkName,
  endpoint: textRules.server,
  nameservers: textRules.nameServer,
  search: textRules.domain,
};

/**
 * Without the texts that would be another setting; each of them has a finding. A route, a rule or a
 * peer goes as a whole.
 */
export function fitNetwork(concern: Concern, network: Network): Network {
  return (fit(concern, network, ["network"]) ?? {}) as Network;
}

function fit(concern: Concern, value: unknown, path: readonly string[]): unknown {
  if (typeof value === "string") return fitText(concern, value, path);
  if (Array.isArray(value)) {
    const items = value.map((item: unknown, index) => fit(concern, item, [...path, String(index)]));
    return items.filter((item, index) => item !== undefined && isWhole(value[index], item));
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(
    ([key, inner]) => [key, fit(concern, inner, [...path, key])] as const,
  );
  return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined));
}

function isWhole(before: unknown, after: unknown): boolean {
  if (typeof before !== "object" || before === null) return true;
  return Object.keys(before).length === Object.keys(after as object).length;
}

function fitText(concern: Concern, text: string, path: readonly string[]): string | undefined {
  const key = /^\d+$/.test(path.at(-1) ?? "") ? path.at(-2) : path.at(-1);
  // the other end of a pair is a name, held to its form by the schema
  const isName = path[1] === "veths" && path.length === 4;
  const rule = !isName && Object.hasOwn(rules, key ?? "") ? rules[key ?? ""] : undefined;
  return rule === undefined ? text : checked(concern, path, text, rule);
}
