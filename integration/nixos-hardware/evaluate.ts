import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { loadOptionList } from "#provisioner/nixos-options/option-list.ts";
import { nixEvalJson } from "../nix-eval.ts";
import type { Configuration } from "./configurations.ts";
import { optionData } from "./option-tree.ts";

/** What became of a configuration. */
export type Verdict =
  | {
      readonly fits: true;
      /** How many options somebody defined. */
      readonly options: number;
      /** Those that were asked for, by name. */
      readonly values: Readonly<Record<string, unknown>>;
    }
  | {
      readonly fits: false;
      /** Nix's own words. */
      readonly why: string;
    };

/** What is evaluated with. */
export interface Judge {
  /** The directory of nixpkgs' lib. */
  readonly lib: string;
  /** A tree whose words are the names of packages. */
  readonly checkout: string;
  /** Options whose values are told. */
  readonly wanted: readonly string[];
}

const perProcess = 20;

/** Evaluates configurations, some in one process; where one of those fails, the next process begins behind it. */
export function evaluateAll(
  configurations: readonly Configuration[],
  judge: Judge,
): ReadonlyMap<Configuration, Verdict> {
  const files = inputsOf(configurations, judge);
  const verdicts: Verdict[] = [];
  while (verdicts.length < configurations.length) {
    const some = configurations.slice(verdicts.length, verdicts.length + perProcess);
    try {
      const told = nixEvalJson(expression(some, judge), { files }) as readonly Told[];
      verdicts.push(...told.map((each) => ({ fits: true, ...each }) as const));
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      verdicts.push(...toldBefore(said), { fits: false, why: complaintIn(said) });
    }
  }
  return new Map(configurations.map((each, at) => [each, verdicts[at]] as const).filter(isTold));
}

type Told = Omit<Extract<Verdict, { fits: true }>, "fits">;

function isTold(
  entry: readonly [Configuration, Verdict | undefined],
): entry is readonly [Configuration, Verdict] {
  return entry[1] !== undefined;
}

/** What was told on standard error before the failure. */
function toldBefore(said: string): readonly Verdict[] {
  return [...said.matchAll(/(?:^|: )trace: (\{"options":.*\})$/gm)].map(([, json = ""]) => ({
    fits: true,
    ...(JSON.parse(json) as Told),
  }));
}

/** The error itself: what Nix says before it is the way to it. */
function complaintIn(said: string): string {
  return said.slice(said.lastIndexOf("error:")).trim();
}

function inputsOf(configurations: readonly Configuration[], { checkout }: Judge) {
  const options = loadOptionList();
  if (options === undefined) throw new Error("expected the list of options (../shared/data)");
  const places = [checkout, ...configurations.map(({ entry }) => path.dirname(entry))];
  return {
    "tree.json": JSON.stringify(optionData(options)),
    "words.json": JSON.stringify([...new Set(places.flatMap(wordsBelow))].sort()),
  };
}

function expression(configurations: readonly Configuration[], { lib, wanted }: Judge): string {
  const given = configurations.map(
    ({ entry, system }) => `{ entry = ${entry}; system = "${system}"; }`,
  );
  return `import ${path.join(import.meta.dirname, "evaluate.nix")} {
  lib = import ${lib};
  tree = builtins.fromJSON (builtins.readFile ./tree.json);
  words = builtins.fromJSON (builtins.readFile ./words.json);
  wanted = builtins.fromJSON ''${JSON.stringify(wanted)}'';
  configurations = [ ${given.join("\n")} ];
}`;
}

/** Every word that could be a package's name, in all files of Nix. */
function wordsBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".nix"))
    .flatMap((name) => readFileSync(path.join(directory, name), "utf8").match(word) ?? []);
}

const word = /\b[A-Za-z][A-Za-z0-9_'-]*/g;
