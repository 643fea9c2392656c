import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";

const repository = join(import.meta.dirname, "..");

/** Runs `.ci/run` in a tree whose `npm` and `node` are these lines of shell. */
function ciRun(t: Test, programs: Readonly<Record<"npm" | "node", string>>, budget?: object) {
  const tree = t.testdir({ ".ci": {}, bin: {}, tmp: {} });
  cpSync(join(repository, ".ci"), join(tree, ".ci"), { recursive: true });
  mkdirSync(join(tree, "node_modules/.bin"), { recursive: true });
  symlinkSync(process.execPath, join(tree, "node_modules/.bin/node"));
  cpSync(join(repository, "tools/suite"), join(tree, "tools/suite"), { recursive: true });
  cpSync(join(repository, "tools/check-budget.ts"), join(tree, "tools/check-budget.ts"));
  if (budget !== undefined) writeFileSync(join(tree, ".ci/budget.json"), JSON.stringify(budget));
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(tree, "bin", name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(tree, "bin", name), 0o755);
  }
  const run = spawnSync(join(tree, ".ci/run"), {
    cwd: "/",
    encoding: "utf8",
    env: { PATH: `${join(tree, "bin")}:/usr/bin:/bin`, TMPDIR: join(tree, "tmp") },
  });
  return {
    status: run.status,
    lines: run.stdout.trimEnd().split("\n"),
    stderr: run.stderr,
    logs: readdirSync(join(tree, "tmp")).length,
  };
}

const node = `echo "node $*, CI=$CI"`;
const npm = `echo "npm $*, CI=$CI"
case "$*" in
  *test:full*) echo "5 passed, 0 failed, 0 skipped" ;;
  test*) echo "37 passed, 0 failed, 0 skipped" ;;
esac`;

t.test("every suite runs under CI=true, and the last line counts both test suites", (t) => {
  const run = ciRun(t, { node, npm });
  t.equal(run.status, 0, run.stderr);
  t.same(
    run.lines.filter((line) => line.endsWith("CI=true")),
    [
      "node tools/ensure-installed.mjs, CI=true",
      "node tools/ensure-installed.mjs --test-tools, CI=true",
      "npm run --silent check, CI=true",
      "npm test --silent, CI=true",
      "npm run --silent test:full, CI=true",
      "npm start --silent -- --ci, CI=true",
    ],
  );
  t.equal(run.lines.at(-1), "42 passed, 0 failed, 0 skipped");
  t.equal(run.logs, 0, "nothing is left behind");
  t.end();
});

t.test("a suite that fails ends it, and the logs stay", (t) => {
  const run = ciRun(t, { node, npm: `${npm}\ncase "$*" in *check*) exit 3 ;; esac` });
  t.equal(run.status, 1);
  t.match(run.stderr, /FAILED check after \d+ s; logs in /);
  t.notOk(run.lines.some((line) => line.startsWith("npm test")));
  t.equal(run.logs, 1);
  t.end();
});

t.test("a suite that is not in the budget fails it", (t) => {
  const run = ciRun(t, { node, npm }, { limitSeconds: 10, suites: { "npm ci": 5 } });
  t.not(run.status, 0);
  t.match(run.stderr, "there is no suite named test tools");
  t.end();
});

t.test("budgets that together pass the limit fail it", (t) => {
  const run = ciRun(t, { node, npm }, { limitSeconds: 1, suites: { "npm ci": 5 } });
  t.not(run.status, 0);
  t.match(run.stderr, "the suites may take 5 s, more than the 1 s");
  t.end();
});
