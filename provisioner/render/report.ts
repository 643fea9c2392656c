import { fromJson } from "#provisioner/nix-language/from-json.ts";
import { list, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign, type Concern, credential, loadCredential } from "./assignment.ts";
import type { Base } from "./base.ts";
import type { ReportRecord } from "./generation-record.ts";

/** The password of the broker, for the unit that reports; everything else about it is the agent's. */
export function renderReport(concern: Concern): readonly Assignment[] {
  const password = concern.spec.report?.mqtt?.password;
  if (password === undefined) return [];
  const { key, line } = loadCredential(credential(concern, password.secretRef));
  const path = ["systemd", "services", "firstlight-agent", "serviceConfig", key];
  return [assign(path, list([str(line)]), ["report", "mqtt", "password"])];
}

/**
 * Where the node reports, as plans show it beside the options: each part by its path in the spec, of
 * the password the name of its file. No module holds it.
 */
export function reportValues(
  { spec, password, instanceId }: ReportRecord,
  { settings }: Base,
): readonly Assignment[] {
  const { mqtt, ...address } = spec ?? {};
  const isNamed = address.node !== undefined || hasNode(settings["report"]);
  return [
    ...leaves([], address),
    ...(mqtt === undefined || isNamed ? [] : [assign(["report", "node"], str(instanceId))]),
    ...leaves(["mqtt"], { ...mqtt, ...(password === null ? {} : { password: password.file }) }),
  ];
}

function leaves(
  path: readonly string[],
  values: { readonly [key: string]: string | number | boolean },
): readonly Assignment[] {
  return Object.entries(values).map(([key, value]) => {
    const place = ["report", ...path, key];
    return assign(place, fromJson(value), place);
  });
}

function hasNode(report: Base["settings"][string] | undefined): boolean {
  return typeof report === "object" && report !== null && "node" in report;
}
