import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/**
 * Real Nix as a judge of expressions, without a Nix installation: `--store dummy://` needs no /nix,
 * no daemon and no root, `--readonly-mode` writes nothing, and a state directory of its own keeps
 * Nix away from profiles and caches of the machine.
 */
const options = ["--store", "dummy://", "--readonly-mode", "--option", "substitute", "false"];

const maxOutputBytes = 512 * 1024 * 1024;
const timeoutMs = 120_000;

/** How to evaluate. */
export interface NixEvalOptions {
  /** Further files of the evaluation by name; the expression is `main.nix` beside them. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Whether `nix-instantiate` is on the PATH. */
export function hasNix(): boolean {
  return spawnSync("nix-instantiate", ["--version"]).status === 0;
}

/**
 * For tap's `skip`: `false` where Nix is, the reason where it is not. Throws under `CI=true`: there
 * a missing judge is a failure.
 */
export function skipWithoutNix(): string | false {
  if (hasNix()) return false;
  const reason = "nix-instantiate is not on the PATH (Debian: apt-get install nix-bin)";
  if (process.env["CI"] === "true") throw new Error(reason);
  return reason;
}

/** Evaluates a file's text strictly and returns it as JSON; throws with Nix's own words. */
export function nixEvalJson(text: string, { files = {} }: NixEvalOptions = {}): unknown {
  return withFiles({ ...files, "main.nix": text }, (directory) => {
    const args = ["--eval", "--json", "--strict", join(directory, "main.nix")];
    const result = run(directory, args);
    if (result.status !== 0) throw new Error(`nix could not evaluate: ${result.stderr}`);
    return JSON.parse(result.stdout);
  });
}

/** Whether a file's text is Nix, with all its variables bound; the complaint where it is not. */
export function nixParses(text: string): { readonly ok: boolean; readonly complaint: string } {
  return nixParsesAll({ "main.nix": text });
}

/** The same of many files by name in one process; the complaint is about the first that is none, by its name. */
export function nixParsesAll(files: Readonly<Record<string, string>>): {
  readonly ok: boolean;
  readonly complaint: string;
} {
  return withFiles(files, (directory) => {
    const paths = Object.keys(files).map((name) => join(directory, name));
    const result = run(directory, ["--parse", ...paths]);
    return { ok: result.status === 0, complaint: result.stderr };
  });
}

/** A file's text as Nix understood it: `nix-instantiate --parse`; throws with Nix's own words. */
export function nixNormalForm(text: string): string {
  return withFiles({ "main.nix": text }, (directory) => {
    const result = run(directory, ["--parse", join(directory, "main.nix")]);
    if (result.status !== 0) throw new Error(`nix could not parse: ${result.stderr}`);
    return result.stdout;
  });
}

interface NixResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(directory: string, args: readonly string[]): NixResult {
  const env = {
    PATH: process.env["PATH"],
    HOME: directory,
    NIX_REMOTE: "",
    NIX_PATH: "",
    NIX_CONF_DIR: directory,
    NIX_STATE_DIR: join(directory, "state"),
    NIX_LOG_DIR: join(directory, "log"),
  };
  const spawned = spawnSync("nix-instantiate", [...options, ...args], {
    encoding: "utf8",
    env,
    maxBuffer: maxOutputBytes,
    timeout: timeoutMs,
  });
  if (spawned.error !== undefined) throw spawned.error;
  return spawned;
}

function withFiles<T>(files: Readonly<Record<string, string>>, use: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), "nix-eval-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, name)), { recursive: true });
      writeFileSync(join(directory, name), text);
    }
    return use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
