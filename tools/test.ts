import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { overrun, readBudget, secondsOf } from "./suite/budget.ts";
import { type Suite, suites, testFiles } from "./suite/files.ts";
import { type FileResult, TapOutput } from "./suite/tap-output.ts";

// `npm test` and `npm run test:full`: one line a file, what failed in full, every skipped test by
// name, and at the very end the counts. Under CI=true a skipped test or a late end is a failure.

const repository = join(import.meta.dirname, "..");
// Of Node, for the tests and the programs that they start from the source tree, each again and again.
const compileCache = join(repository, "node_modules/.cache/compile");
const strict = process.env["CI"] === "true";
const [suite, ...below] = process.argv.slice(2);

if (suite === "quick" || suite === "full") process.exitCode = await runSuite(suite);
else {
  console.error("expected: test.ts quick|full [START OF A PATH…]");
  process.exitCode = 1;
}

async function runSuite(suite: Suite): Promise<number> {
  const budget = readBudget(join(repository, ".ci/budget.json"));
  const seconds = secondsOf(budget, suites[suite]);
  const files = testFiles(repository, suite, below);
  const output = new TapOutput();
  const started = performance.now();
  const problems = files.length === 0 ? [] : await runTap(files, output, seconds);
  const took = (performance.now() - started) / 1000;

  for (const { title, reason } of output.skipped) console.log(`SKIPPED ${title}: ${reason}`);
  const { passed, failed } = output.counts;
  const skipped = Math.max(output.counts.skipped, output.skipped.length);
  if (skipped > 0 && strict) problems.push("a test was skipped, and CI=true allows none");
  const late = overrun(budget, suites[suite], took);
  if (late !== null && strict) problems.push(late);
  if (late !== null && !strict) console.log(`LATE ${late}`);
  for (const problem of problems) console.log(`FAILED ${problem}`);
  console.log(`${files.length} files in ${took.toFixed(1)} s`);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return problems.length > 0 || failed > 0 ? 1 : 0;
}

/** Runs tap; returns what went wrong beside assertions. Killed when it takes twice its budget. */
async function runTap(
  files: readonly string[],
  output: TapOutput,
  seconds: number,
): Promise<string[]> {
  const args = ["run", "--disable-coverage", "--reporter=tap", "--jobs=2", ...files];
  const child = spawn(process.execPath, [join(repository, "node_modules/.bin/tap"), ...args], {
    cwd: repository,
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const limitMs = 2 * seconds * 1000;
  const timers = [
    setTimeout(() => child.kill("SIGTERM"), limitMs),
    setTimeout(() => child.kill("SIGKILL"), limitMs + 10_000),
  ];
  const ended = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(signal ?? code ?? 1));
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const result = output.read(line);
    if (result !== undefined) show(result);
  }
  const end = await ended;
  timers.forEach(clearTimeout);
  return end === 0 ? [] : [`tap ended with ${end}`];
}

function show({ path, passed, time, report }: FileResult): void {
  console.log(`${passed ? "ok    " : "not ok"} ${path} ${time}`);
  if (!passed) console.log(report.join("\n"));
}
