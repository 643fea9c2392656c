import { spawnSync } from "node:child_process";
import { join } from "node:path";
import t from "tap";
import { overrun, readBudget, secondsOf } from "./suite/budget.ts";
import { testFiles } from "./suite/files.ts";
import { type FileResult, TapOutput } from "./suite/tap-output.ts";

const repository = join(import.meta.dirname, "..");

/** The environment without what tap told this very process. */
const plainEnv = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^_?TAP/.test(name)),
);

const goodFile = `import t from "tap";
t.test("outer", (t) => {
  t.ok(true, "ok 7 - not a result # SKIP not a skip \\n---");
  t.test("inner", { skip: "no tool" }, () => {});
  t.ok(true, "soft", { skip: true });
  t.ok(true, "later", { todo: "some day" });
  t.end();
});
t.pass();
`;
const badFile = `import t from "tap";
t.test("bad", (t) => {
  t.same({ a: "ok 1 - found # SKIP" }, { a: "\\n    not ok 2 - wanted\\n---\\n" });
  t.end();
});
`;

function runTap(files: readonly string[]) {
  const args = ["run", "--disable-coverage", "--reporter=tap", "--jobs=2", ...files];
  const { stdout } = spawnSync(
    process.execPath,
    [join(repository, "node_modules/.bin/tap"), ...args],
    {
      cwd: repository,
      encoding: "utf8",
      env: plainEnv,
    },
  );
  const output = new TapOutput();
  const results = stdout.split("\n").map((line) => output.read(line));
  return { output, results: results.filter((result) => result !== undefined) };
}

t.test("what tap says of good and bad files is read as it was meant", (t) => {
  const dir = t.testdir({ "good.test.ts": goodFile, "bad.test.ts": badFile });
  const { output, results } = runTap([join(dir, "good.test.ts"), join(dir, "bad.test.ts")]);
  t.same(output.counts, { passed: 2, failed: 1, skipped: 3 });
  t.same(
    output.skipped.map(({ title, reason }) => [title.replace(/^.*?\.ts > /, ""), reason]),
    [
      ["outer > inner", "no tool"],
      ["outer > soft", "no reason given"],
      ["outer > later", "some day"],
    ],
  );
  const find = (name: string): FileResult | undefined =>
    results.find(({ path }) => path.endsWith(name));
  t.match(find("good.test.ts"), { passed: true, time: /^[\d.]+m?s$/, report: [] });
  t.equal(find("bad.test.ts")?.passed, false);
  t.match(find("bad.test.ts")?.report.join("\n"), "not ok 1 - should be equivalent");
  t.equal(results.length, 2);
  t.end();
});

t.test("a file that breaks off is a failure", (t) => {
  const dir = t.testdir({ "exits.test.ts": `import t from "tap";\nt.pass();\nprocess.exit(3);\n` });
  const { results } = runTap([join(dir, "exits.test.ts")]);
  t.match(results, [{ passed: false }]);
  t.end();
});

t.test("each test file is in one suite", (t) => {
  const room = () => ({ "a.test.ts": "", "b.full.test.ts": "", "c.ts": "" });
  const root = t.testdir({
    "package.json": `{ "tap": { "include": ["{core,agent}/**/*.test.ts"] } }`,
    core: room(),
    agent: { deep: room() },
    other: room(),
  });
  t.same(testFiles(root, "quick"), ["agent/deep/a.test.ts", "core/a.test.ts"]);
  t.same(testFiles(root, "full"), ["agent/deep/b.full.test.ts", "core/b.full.test.ts"]);
  t.same(testFiles(root, "quick", ["core"]), ["core/a.test.ts"]);
  t.end();
});

t.test("the budget of this repository fits its limit and names both suites", (t) => {
  const budget = readBudget(join(repository, ".ci/budget.json"));
  t.equal(budget.limitSeconds, 2400);
  t.ok(secondsOf(budget, "test") <= 480);
  t.ok(secondsOf(budget, "test:full") > 0);
  t.throws(() => secondsOf(budget, "toString"), /no suite named toString/);
  t.equal(overrun(budget, "test", 1), null);
  t.match(overrun(budget, "test", 481.5), /^test took 482 s, its budget is 480 s/);
  t.end();
});

t.test("a budget that cannot hold is refused", (t) => {
  const dir = t.testdir({
    sum: `{ "limitSeconds": 10, "suites": { "a": 6, "b": 5 } }`,
    shape: `{ "limitSeconds": 10, "suites": { "a": "6" } }`,
    empty: "null",
  });
  t.throws(() => readBudget(join(dir, "sum")), /may take 11 s, more than the 10 s/);
  t.throws(() => readBudget(join(dir, "shape")), /expected \{ limitSeconds/);
  t.throws(() => readBudget(join(dir, "empty")), /expected \{ limitSeconds/);
  t.end();
});

t.test("a wrong suite is refused", (t) => {
  const run = spawnSync(process.execPath, [join(repository, "tools/test.ts"), "all"], {
    encoding: "utf8",
  });
  t.equal(run.status, 1);
  t.match(run.stderr, "expected: test.ts quick|full");
  t.end();
});
