import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import t from "tap";

const script = join(import.meta.dirname, "with-generated.mjs");

t.test("arguments and exit code pass through, and the file runs on the repository's Node", (t) => {
  const tree = t.testdir({
    "main.ts": `const args: string[] = process.argv.slice(2);
console.log(JSON.stringify([process.versions.node, ...args]));
process.exitCode = 75;
`,
  });
  const run = spawnSync("node", [script, join(tree, "main.ts"), "--ci", "a b"], {
    encoding: "utf8",
  });
  t.same(JSON.parse(run.stdout), [process.versions.node, "--ci", "a b"]);
  t.equal(run.status, 75);
  t.end();
});

t.test("a signal reaches the program, which decides how to end", async (t) => {
  const tree = t.testdir({
    "main.ts": `process.on("SIGTERM", () => {
  console.log("told to end");
  process.exit(3);
});
setInterval(() => {}, 1000);
console.log("ready");
`,
  });
  const child = spawn("node", [script, join(tree, "main.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const output = text(child.stdout);
  await once(child.stdout, "data");
  child.kill("SIGTERM");
  const [code] = await once(child, "exit");
  t.equal(code, 3);
  t.match(await output, "told to end");
});

t.test("a program that dies of a signal is seen to die of it", async (t) => {
  const tree = t.testdir({ "main.ts": `process.kill(process.pid, "SIGTERM");\n` });
  const child = spawn("node", [script, join(tree, "main.ts")], { stdio: "inherit" });
  t.same(await once(child, "exit"), [null, "SIGTERM"]);
});

t.test("without a file it says what it expects", (t) => {
  const run = spawnSync("node", [script], { encoding: "utf8" });
  t.equal(run.status, 1);
  t.match(run.stderr, "expected: with-generated.mjs FILE");
  t.end();
});
