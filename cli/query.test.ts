import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import { firstlight } from "./try-commands.ts";

// Each command is a process of its own.
t.setTimeout(600_000);

function query(t: Test): (...args: readonly string[]) => ReturnType<typeof firstlight> {
  const root = t.testdir();
  const file = path.join(root, "run/firstlight/instance-data.json");
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, '{ "v1": { "instance_id": "i-1", "cloud_name": "aws" }, "ds": {} }');
  return (...args) => firstlight(["query", "--root", root, ...args]);
}

t.test("keys are listed as cloud-init lists them", async (t) => {
  const ask = query(t);
  t.match(ask("--list-keys"), { code: 0, stdout: "commands\nds\nv1\n" });
  t.match(ask("v1", "--list-keys"), { code: 0, stdout: "cloud_name\ninstance_id\n" });
  t.match(ask("-l", "v1.cloud_name"), { code: 4, stderr: /"v1.cloud_name" is no mapping/ });
  t.match(ask("-l", "--format", "x"), { code: 4, stderr: /one of --list-keys and --format/ });
});

t.test("a template is read from stdin, where it is no argument and may be long", async (t) => {
  const root = t.testdir({ run: { firstlight: { "instance-data.json": "{}" } } });
  const ask = (input: string, ...args: readonly string[]) =>
    firstlight(["query", "--root", root, "--format", "-", ...args], input);
  const long = "x".repeat(200_000);
  t.match(ask(`${long}{{ 1 + 1 }}\n`), { code: 0, stdout: `${long}2\n` });
  t.match(ask("\n{{ 1 / 0 }}"), { code: 4, stderr: /line 2 of the template: division by zero/ });
  t.match(ask(""), { code: 4, stderr: /expected a template/ });
  t.match(ask("x", "--user-data", "-"), { code: 4, stderr: /stdin is read for a document/ });
});

t.test("what is wrong with a template is said of the argument, at its line", async (t) => {
  const ask = query(t);
  t.match(ask("--format", ""), { code: 4, stderr: /--format: expected a template/ });
  t.match(ask("--format", "{% if 0 %}{% endif %}"), { code: 1, stderr: /an empty text/ });
  for (const [template, said] of [
    ["\n{% if v1 %}\n", /line 2 of the template: it ends within a block/],
    ["{{ 1 // 0 }}", /line 1 of the template: division by zero/],
    ["{{ 'a' | format }}", /line 1 of the template: Unknown StringValue filter: format/],
  ] as const) {
    const { code, stderr } = ask("--format", template);
    t.equal(code, 4);
    t.match(stderr, said);
    t.match(stderr, /mend the template that --format is given/);
    t.notMatch(stderr, /Mend the file|Cannot read/);
  }
});
