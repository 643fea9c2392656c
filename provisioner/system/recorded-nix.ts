import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { ExecResult } from "#core/io.ts";
import type { CommandLine } from "./command-lines.ts";

/** What Nix printed for one of firstlight's lines; `npm run record:nix` writes them. */
export interface Recording {
  readonly argv: readonly string[];
  readonly code: number | null;
  /** A text a line. */
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
}

/** One Nix, and everything that was recorded of it. */
export interface RecordedNix {
  /** `2.26.3` */
  readonly version: string;
  /** Of every recording, sorted. */
  names(): readonly string[];
  recording(name: string): Recording;
  /** How a process ended that printed it. */
  result(name: string): ExecResult;
  /** Runs lines: each must be the one of the next name, and ends as it did. */
  replay(...names: readonly string[]): (line: CommandLine) => Promise<ExecResult>;
  /** What was asked between the recordings, in its order. */
  prepared(): readonly string[];
}

/** Where the recordings lie: `nix-<version>/<name>.json`. */
export const recordingsDirectory = path.join(import.meta.dirname, "fixtures");
/** Before `--log-format`: it says that, and is told to be too old. */
const tooOld = "2.3.7";

const versions = readdirSync(recordingsDirectory).flatMap(
  (name) => /^nix-([0-9][0-9.]*)$/.exec(name)?.[1] ?? [],
);

/** Every Nix that firstlight works with, of those that were recorded. */
export const recordedNixes: readonly RecordedNix[] = versions
  .filter((version) => version !== tooOld)
  .map(recordedNix);

export const oldNix = recordedNix(tooOld);

function recordedNix(version: string): RecordedNix {
  const directory = path.join(recordingsDirectory, `nix-${version}`);
  const read = (name: string): unknown =>
    JSON.parse(readFileSync(path.join(directory, `${name}.json`), "utf8"));
  const recording = (name: string) => read(name) as Recording;
  const result = (name: string) => {
    const { code, stdout, stderr } = recording(name);
    const texts = { stdout: textOf(stdout), stderr: textOf(stderr) };
    return { code, signal: null, ...texts, timedOut: false, aborted: false, ms: 1 };
  };
  return {
    version,
    names: () =>
      readdirSync(directory)
        .map((file) => file.replace(/\.json$/, ""))
        .filter((name) => name !== "prepared")
        .sort(),
    recording,
    result,
    replay(...names) {
      const left = [...names];
      return async ({ argv }) => {
        const name = left.shift() ?? "nothing";
        const { argv: recorded } = recording(name);
        if (argv.join("\0") === recorded.join("\0")) return result(name);
        throw new Error(`${name}: recorded ${recorded.join(" ")}, asked for ${argv.join(" ")}`);
      };
    },
    prepared: () => read("prepared") as readonly string[],
  };
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
