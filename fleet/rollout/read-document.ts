import { parseDuration } from "#core/duration.ts";
import { isFault } from "#core/fault.ts";
import { byPlace, type Finding, findingPath, hasErrors } from "#core/finding.ts";
import { kindInWords } from "#core/kind-in-words.ts";
import { nearest } from "#core/nearest.ts";
import { oneOf } from "#core/one-of.ts";
import { wordHint } from "#core/word-hint.ts";
import type { RolloutDefinition } from "#generated/fleet/rollout/definition.ts";
import {
  knownKeys,
  type ValidationError,
  validate,
} from "#generated/fleet/rollout/definition.validate.js";
import type { Scenario } from "#generated/fleet/rollout/scenario.ts";
import {
  knownKeys as scenarioKeys,
  validate as validateScenario,
} from "#generated/fleet/rollout/scenario.validate.js";
import { readYaml, type YamlDocument } from "#provisioner/userdata/yaml.ts";
import { parseSelector } from "../registry/selector.ts";
import { isTimezone } from "./windows.ts";

/** A document as it was read: its value when nothing is wrong with it. */
export interface ReadDocument<T> {
  readonly value: T | undefined;
  readonly findings: readonly Finding[];
}

type Path = readonly (string | number)[];

/** Something wrong at a path, before it has a place in the text. */
interface Problem {
  readonly path: Path;
  readonly target: "key" | "value";
  readonly message: string;
  readonly hint: string | null;
}

const page = "docs/rollout.md shows each key with an example";

/** Reads the definition of a rollout, as YAML or JSON; every fault of it with its place. */
export function readDefinition(text: string, document: string): ReadDocument<RolloutDefinition> {
  const yaml = readYaml(text, { document });
  const { value } = yaml;
  if (value === undefined) return { value: undefined, findings: yaml.findings };
  if (!validate(value)) {
    const problems = (validate.errors ?? []).map((error) => ofSchema(error, value, knownKeys));
    return toDocument<RolloutDefinition>(undefined, problems, { yaml, document });
  }
  const definition = value as RolloutDefinition;
  return toDocument(definition, problemsOf(definition), { yaml, document });
}

/** The same for a scenario of `firstlight fleet simulate`. */
export function readScenario(text: string, document: string): ReadDocument<Scenario> {
  const yaml = readYaml(text, { document });
  const { value } = yaml;
  if (value === undefined) return { value: undefined, findings: yaml.findings };
  if (!validateScenario(value)) {
    const errors = validateScenario.errors ?? [];
    const problems = errors.map((error) =>
      ofSchema(error, value, {
        ...knownKeys,
        "#": [...(knownKeys["#"] ?? []), ...(scenarioKeys["#"] ?? [])],
        model: scenarioKeys["#/$defs/model"] ?? [],
      }),
    );
    return toDocument<Scenario>(undefined, problems, { yaml, document });
  }
  const scenario = value as Scenario;
  const problems = problemsOf(scenario.rollout).map(
    (problem): Problem => ({
      ...problem,
      path: ["rollout", ...problem.path],
    }),
  );
  scenario.timezones?.forEach((name, at) => {
    if (!isTimezone(name)) problems.push(unknownZone(["timezones", at], name));
  });
  return toDocument(scenario, problems, { yaml, document });
}

/** What the schema cannot say. */
function problemsOf(definition: RolloutDefinition): Problem[] {
  const problems: Problem[] = [];
  const add = (path: Path, message: string, hint: string | null = page) =>
    problems.push({ path, target: "value", message, hint });
  const { waves, select, budgets = [], windows = [] } = definition;
  selectorProblem(["select"], select, problems);
  const names = new Set<string>();
  waves.forEach((wave, at) => {
    if (names.has(wave.name)) add(["waves", at, "name"], `there is a wave ${wave.name} already`);
    names.add(wave.name);
    if (wave.select !== undefined) selectorProblem(["waves", at, "select"], wave.select, problems);
    if (isNothing(wave.size)) add(["waves", at, "size"], "takes no node");
    if (
      wave.perModel !== undefined &&
      waves.findIndex((each) => each.perModel !== undefined) !== at
    )
      add(
        ["waves", at, "perModel"],
        "only one wave can be that of the canaries",
        "take `perModel` out of one of them",
      );
  });
  const last = waves[waves.length - 1];
  if (last !== undefined && (last.select ?? last.perModel ?? last.size) !== undefined)
    add(
      ["waves", waves.length - 1],
      "the last wave must take whoever is left",
      "add a wave with neither `select` nor `perModel` nor `size`",
    );
  budgets.forEach(({ max }, at) => {
    if (isNothing(max)) add(["budgets", at, "max"], "lets no node be started");
  });
  windows.forEach(({ timezone }, at) => {
    if (timezone !== undefined && !isTimezone(timezone))
      problems.push(unknownZone(["windows", at, "timezone"], timezone));
  });
  const soakMs = waves.reduce((sum, { soak }) => sum + (parseDuration(soak ?? "0s") ?? 0), 0);
  const { deadline } = definition;
  if (deadline !== undefined && soakMs >= (parseDuration(deadline) ?? 0))
    add(["deadline"], "is over before the waves have soaked", "give more time");
  return problems;
}

function isNothing(amount: number | string | undefined): boolean {
  return amount === 0 || amount === "0%";
}

function unknownZone(path: Path, name: string): Problem {
  const message = `there is no time zone ${name}`;
  return { path, target: "value", message, hint: "write it like `Europe/Berlin`" };
}

function selectorProblem(path: Path, text: string, problems: Problem[]): void {
  try {
    parseSelector(text);
  } catch (error) {
    if (!isFault(error, "selector/invalid")) throw error;
    problems.push({
      path,
      target: "value",
      message: error.message,
      hint: "docs/registry.md#selectors",
    });
  }
}

function toDocument<T>(
  value: T | undefined,
  problems: readonly Problem[],
  { yaml, document }: { readonly yaml: YamlDocument; readonly document: string },
): ReadDocument<T> {
  const seen = new Set<string>();
  const found = problems.flatMap(({ path, target, message, hint }): Finding[] => {
    const key = `${JSON.stringify(path)} ${message}`;
    if (seen.has(key)) return [];
    seen.add(key);
    const place = yaml.locate(path, target);
    return [
      {
        ...{ document, path: findingPath(path), line: place?.line ?? null },
        ...{
          column: place?.column ?? null,
          level: "error",
          code: "rollout/invalid",
          message,
          hint,
        },
      },
    ];
  });
  const findings = [...yaml.findings, ...found].sort(byPlace);
  return { value: hasErrors(findings) ? undefined : value, findings };
}

function ofSchema(
  { instancePath, keyword, params }: ValidationError,
  value: unknown,
  keys: Readonly<Record<string, readonly string[]>>,
): Problem {
  const path = instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  const about = { path, target: "value", hint: page } as const;
  switch (keyword) {
    case "additionalProperties": {
      const key = String(params["additionalProperty"]);
      // Which mapping of the schema it was held against, its validator does not say.
      const near = nearest(key, Object.values(keys).flat());
      const hint = near === undefined ? page : `did you mean \`${near}\`?`;
      return { path: [...path, key], target: "key", message: "no such key", hint };
    }
    case "required":
      return { ...about, message: `lacks \`${params["missingProperty"]}\`` };
    case "type":
      return { ...about, message: `must be ${kindInWords(String(params["type"]))}` };
    case "enum": {
      const allowed = (params["allowedValues"] as readonly unknown[]).map(String);
      const given = path.reduce<unknown>(
        (at, key) => (at as { readonly [key: string]: unknown } | null)?.[key],
        value,
      );
      return { ...about, message: `must be ${oneOf(allowed)}`, hint: wordHint(given, allowed) };
    }
    case "const":
      return { ...about, message: `must be ${params["allowedValue"]}` };
    case "minimum":
      return { ...about, message: `must be at least ${params["limit"]}` };
    case "maximum":
      return { ...about, message: `must be at most ${params["limit"]}` };
    case "minItems":
      return { ...about, message: "must not be empty" };
    case "anyOf":
      return { ...about, message: "does not have the form that is expected here" };
    default:
      return { ...about, message: "does not have the form that is expected here" };
  }
}
