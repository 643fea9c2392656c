import type { Code } from "#core/codes.ts";
import { Fault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { ExecResult } from "#core/io.ts";
import { printable } from "#core/printable.ts";

const maxMessageLines = 12;
const maxLogLines = 10;
const maxLineLength = 400;

/** The fault of a failed `nix-instantiate`; findings name the places in our sources, deepest first. */
export function evaluationFault(result: ExecResult, sourcesDir: string): Fault {
  const known = commonFault(result, "evaluating the configuration");
  if (known !== undefined) return known;
  const text = printable(result.stderr);
  const message = errorMessage(text).replaceAll(`${sourcesDir}/`, "");
  const findings = sourcePlaces(text, sourcesDir).map(
    (place): Finding => ({
      ...place,
      path: "",
      level: "error",
      code: "system/evaluation-failed",
      message: message.split("\n")[0] ?? "",
      hint: null,
    }),
  );
  const first = findings[0];
  const where =
    first === undefined ? "" : `${first.document}${first.line === null ? "" : `:${first.line}`}: `;
  const words = message === "" ? `Nix ended with ${endOf(result)}` : message;
  return new Fault("system/evaluation-failed", `${where}${words}`, {
    findings,
    ...(text.includes("allow-import-from-derivation") ? { hint: importHint } : {}),
  });
}

const importHint =
  "import nothing that has to be built first: fetch it with builtins.fetchTarball and its hash, or keep it beside the configuration";

/**
 * The fault of a failed build: which derivation, how, and the last lines of its log, as Nix quotes
 * them or as `logOf` has kept them.
 */
export function buildFault(
  result: ExecResult,
  logOf: (derivation: string) => readonly string[] = () => [],
): Fault {
  const text = printable(result.stderr);
  const { derivation, how } = failedDerivation(text);
  const ownLog = derivation === undefined ? [] : logOf(derivation);
  const stderr = [...ownLog, text].join("\n"); // the builder's own words tell of a full disk as well
  const known = commonFault({ ...result, stderr }, "building the system");
  if (known !== undefined) return known;
  const quoted = lastLogLines(text);
  const log = quoted.length > 0 ? quoted : ownLog.slice(-maxLogLines).map(clip);
  const what =
    derivation === undefined ? `Nix ended with ${endOf(result)}` : `${derivation}: ${how}`;
  const lines = log.length > 0 ? log : lastLines(withoutProgress(text));
  return new Fault("system/build-failed", `${what}; last lines:\n${lines.join("\n")}`);
}

/** The fault of any other Nix command. */
export function nixFault(
  result: ExecResult,
  what: string,
  code: Code = "system/nix-failed",
): Fault {
  const known = commonFault(result, what);
  if (known !== undefined) return known;
  return new Fault(code, `${what}: ${endOf(result)}: ${errorMessage(printable(result.stderr))}`);
}

function endOf({ code, signal }: ExecResult): string {
  return code === null ? `signal ${signal}` : `exit code ${code}`;
}

/** Of the kernel, of libraries, and of Nix's database. */
const diskFull =
  /^.*(No space left on device|Disk quota exceeded|database or disk is full|\bENOSPC\b).*$/m;

/** Codes with which systemd says that it could not begin (systemd.exec(5)). */
const systemdCodes = { least: 200, most: 245 } as const;

/** Where it was not the program of a transient unit that failed, but its unit. */
export function unitFault({ code, stderr }: ExecResult, what: string): Fault | undefined {
  const refused = /^Failed to (start|connect|create|allocate|parse|set) .*$/m.exec(
    printable(stderr),
  );
  if (refused !== null) return new Fault("system/unit-failed", `${what}: ${clip(refused[0])}`);
  if (code === null || code < systemdCodes.least || code > systemdCodes.most) return undefined;
  return new Fault("system/unit-failed", `${what}: systemd could not begin (exit code ${code})`);
}

function commonFault(result: ExecResult, what: string): Fault | undefined {
  if (result.aborted) return new Fault("system/canceled", `${what} was called off`);
  if (result.timedOut) {
    return new Fault("system/timeout", `${what} did not end within ${Math.round(result.ms)} ms`);
  }
  const text = printable(result.stderr);
  if (/unrecognised flag '--log-format'/.test(text)) {
    return new Fault("system/nix-too-old", `${what}: this Nix is older than 2.4`);
  }
  const full = diskFull.exec(text);
  if (full !== null) return new Fault("system/disk-full", `${what}: ${clip(full[0].trim())}`);
  const daemon = /^.*(cannot connect to (socket|daemon)|cannot open connection to).*$/m.exec(text);
  if (daemon !== null) {
    return new Fault("system/nix-unreachable", `${what}: ${clip(daemon[0].trim())}`);
  }
  return undefined;
}

/**
 * Where the error itself begins among the lines. Nix before 2.20 prints it first and the trace after
 * it, later ones the other way round: it is the last `error:`; -1 when there is none.
 */
function errorLine(lines: readonly string[]): number {
  return lines.findLastIndex((line) => /^\s*error:/.test(line));
}

/** The error itself, without its trace. */
function errorMessage(text: string): string {
  const lines = text.split("\n");
  const start = errorLine(lines);
  if (start === -1) return lastLines(text).join("\n");
  const first = (lines[start] ?? "").replace(/^\s*error:\s*/, "");
  const message = first === "" ? [] : [first];
  for (const line of lines.slice(start + 1)) {
    if (!/^\s+\S/.test(line) || /^\s+(at |…|\.\.\. |[0-9]+\|)/.test(line)) break;
    message.push(line.trim());
  }
  return message.slice(0, maxMessageLines).map(clip).join("\n");
}

type Place = Pick<Finding, "document" | "line" | "column">;

/** Places in our sources, deepest first. A trace before the error begins with the outermost one. */
function sourcePlaces(text: string, sourcesDir: string): readonly Place[] {
  const lines = text.split("\n");
  const error = Math.max(0, errorLine(lines));
  const inOrder = placesIn(lines.slice(error).join("\n"), sourcesDir);
  const trace = placesIn(lines.slice(0, error).join("\n"), sourcesDir);
  return pickPlaces([...inOrder, ...trace.reverse()]);
}

function placesIn(text: string, sourcesDir: string): Place[] {
  const directory = sourcesDir.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = new RegExp(`${directory}/([^\\s:'"’\`]+)(?::([0-9]+)(?::([0-9]+))?)?`, "g");
  return [...text.matchAll(pattern)].map(([, document = "", line, column]) => ({
    document,
    line: line === undefined ? null : Number(line),
    column: column === undefined ? null : Number(column),
  }));
}

/** Each once; one with a line says more than the same file without. */
function pickPlaces(places: readonly Place[]): readonly Place[] {
  const known = [
    ...new Map(places.map((place) => [Object.values(place).join(":"), place])).values(),
  ];
  const numbered = new Set(known.filter((place) => place.line !== null).map((p) => p.document));
  return known.filter((p) => p.line !== null || !numbered.has(p.document)).slice(0, 20);
}

const failures = [
  /builder for '(?<derivation>[^']+\.drv)' failed (?:with|due to) (?<how>exit code [0-9]+|[^;\n]+)/,
  /builder for '(?<derivation>[^']+\.drv)' (?<how>failed to produce [^\n]+)/,
  /building of '(?<derivation>[^']+\.drv)' (?<how>timed out[^\n]*)/,
  // What only depends on one that has failed is not to blame.
  /[Cc]annot build '(?<derivation>[^']+\.drv)'\.?\s*Reason:\s*(?!\s|[0-9]+ dependenc)(?:builder failed (?:with|due to) )?(?<how>[^\n]+?)\.?(?:\n|$)/,
  /build of (?:resolved derivation )?'(?<derivation>[^']+\.drv)'.* (?<how>failed[^\n]*)/,
  /(?<how>hash mismatch) in fixed-output derivation '(?<derivation>[^']+\.drv)':/,
];

/** Which build a text of Nix says to have failed, and how. */
export function failedDerivation(text: string): {
  readonly derivation?: string;
  readonly how?: string;
} {
  for (const pattern of failures) {
    const { derivation, how = "failed" } = pattern.exec(text)?.groups ?? {};
    if (derivation !== undefined) return { derivation, how: clip(how) };
  }
  return {};
}

/** What is left when Nix's own lines are taken away: what the builder said, if it said anything. */
function withoutProgress(text: string): string {
  const own =
    /^(error:|building '|copying path|(this|these) .*(will be (built|fetched)|derivation)|\s+\/\S+$|\s+(Reason|Output paths):)/;
  const rest = text.split("\n").filter((line) => line.trim() !== "" && !own.test(line));
  return rest.length > 0 ? rest.join("\n") : text;
}

function lastLogLines(text: string): readonly string[] {
  const quoted = text.split("\n").filter((line) => /^\s*> /.test(line));
  return quoted.slice(-maxLogLines).map((line) => clip(line.replace(/^\s*> /, "")));
}

function lastLines(text: string): readonly string[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.slice(-maxLogLines).map(clip);
}

function clip(line: string): string {
  return line.length > maxLineLength ? `${line.slice(0, maxLineLength)}…` : line;
}
