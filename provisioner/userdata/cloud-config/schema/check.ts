import type { Json } from "#core/canonical-json.ts";
import { byPlace, type Finding, findingPath } from "#core/finding.ts";
import {
  type ValidationError,
  validate,
} from "#generated/provisioner/userdata/cloud-config/schema/cloud-config.validate.js";
import type { YamlDocument } from "../../yaml.ts";
import { findDeprecated } from "./deprecated.ts";
import { describeErrors, type Problem } from "./describe.ts";

/** Findings of one document at most; a longer list helps nobody. */
const maxProblems = 200;

/** A cloud-config as it was read. */
export interface CheckedDocument {
  /** Name used in findings. */
  readonly name: string;
  readonly value: Json;
  readonly locate: YamlDocument["locate"];
}

/**
 * Every way in which a document is no cloud-config of cloud-init 26.2, whether its keys mean anything
 * on NixOS or not: an error each, and a note for each key or form that is deprecated. No finding
 * repeats a value.
 */
export function checkCloudConfig(document: CheckedDocument): readonly Finding[] {
  // An empty document is the empty mapping to cloud-init.
  const value = document.value ?? {};
  const errors: readonly ValidationError[] = validate(value) ? [] : (validate.errors ?? []);
  const problems = [...describeErrors(errors), ...findDeprecated(value)];
  return problems
    .slice(0, maxProblems)
    .map((problem) => toFinding(problem, document))
    .sort(byPlace);
}

function toFinding(problem: Problem, { name, locate }: CheckedDocument): Finding {
  const { path, target, level, code, message, hint } = problem;
  return { document: name, path: findingPath(path), ...place(), level, code, message, hint };

  function place(): Pick<Finding, "line" | "column"> {
    for (let length = path.length; length >= 0; length--) {
      const found = locate(path.slice(0, length), length === path.length ? target : "value");
      if (found !== undefined) return { line: found.line, column: found.column };
    }
    return { line: 1, column: 1 };
  }
}
