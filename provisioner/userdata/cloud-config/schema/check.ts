import type { Code } from "#core/codes.ts";
import { byPlace, type Finding, findingPath, placeOfFinding } from "#core/finding.ts";
import {
  type ValidationError,
  validate,
} from "#generated/provisioner/userdata/cloud-config/schema/cloud-config.validate.js";
import type { InputDocument } from "../../input-document.ts";
import { onePerFault } from "../../one-fault.ts";
import { findDeprecated } from "./deprecated.ts";
import { describeErrors, type Problem } from "./describe.ts";

/** Findings of one document at most; a longer list helps nobody. */
const maxProblems = 200;

/**
 * Every way in which a document is no cloud-config of cloud-init 26.2, whether its keys mean anything
 * on NixOS or not: an error each, and a note for each key or form that is deprecated. No finding
 * repeats a value.
 */
export function checkCloudConfig(document: InputDocument): readonly Finding[] {
  // An empty document is the empty mapping to cloud-init.
  const value = document.root.value ?? {};
  const errors: readonly ValidationError[] = validate(value) ? [] : (validate.errors ?? []);
  const problems = [
    ...describeErrors(errors, { value, most: maxProblems }),
    ...findDeprecated(value),
  ];
  return problems
    .slice(0, maxProblems)
    .map((problem) => toFinding(problem, document))
    .sort(byPlace);
}

function toFinding(problem: Problem, document: InputDocument): Finding {
  const { path, target, level, code, message, hint } = problem;
  const place = document.place(path, target);
  return { ...place, path: findingPath(path), level, code, message, hint };
}

const unknown = /has no such key$/;
const saysUnknown: ReadonlySet<Code> = new Set<Code>([
  "cloud-config/unknown-key",
  "cloud-config/unsupported-key",
  "cloud-config/unknown-value",
]);
/** What a translation says, as a warning, of a value that it cannot use for its form. */
const saysOdd: ReadonlySet<Code> = new Set<Code>([
  "cloud-config/unknown-value",
  "cloud-config/no-name",
]);

/**
 * What a translation says of a document and what this schema does, nothing twice: of a value that both
 * refuse the translation's words, of a key that nobody knows, and of a value that the translation only
 * warns of, the schema's.
 */
export function joinFindings(
  translated: readonly Finding[],
  checked: readonly Finding[],
): readonly Finding[] {
  const key = (finding: Finding) => `${placeOfFinding(finding)}\0${finding.path}`;
  const isError = ({ level }: Finding) => level === "error";
  const refused = new Set(translated.filter(isError).map(key));
  const left = checked.filter((finding) => !isError(finding) || !refused.has(key(finding)));
  const unknownKeys = new Set(left.filter(({ message }) => unknown.test(message)).map(key));
  const errors = left.filter(isError);
  const odd = new Set(errors.map(pathOf));
  const around = new Set(errors.flatMap(pathsAround));
  const isSaid = (said: Finding) =>
    (saysUnknown.has(said.code) && unknownKeys.has(key(said))) ||
    (saysOdd.has(said.code) && odd.has(pathOf(said))) ||
    (/^nothing is known of /.test(said.message) && around.has(pathOf(said)));
  return onePerFault([...translated.filter((said) => !isSaid(said)), ...left]);
}

function pathOf({ document, path }: Finding): string {
  return `${document}\0${path}`;
}

/** A value and all that it stands in, but for the whole document. */
function pathsAround({ document, path }: Finding): readonly string[] {
  const parts = path.split(".");
  return parts.map((_, at) => `${document}\0${parts.slice(0, at + 1).join(".")}`);
}
