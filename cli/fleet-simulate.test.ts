import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";

const program = join(import.meta.dirname, "main.ts");

const scenario = `version: 1
nodes: 200
rollout:
  version: 1
  name: web-7
  release: { name: web, number: 7 }
  select: "*"
  waves:
    - { name: canary, perModel: 2, soak: 1h, success: 0, failures: 100% }
    - { name: wide, failures: FAILURES }
models:
  - { model: acme/box, share: 3, failures: 2, offline: 10 }
  - { model: acme/gateway }
labels: { site: [10] }
`;

t.test("simulate shows what comes of a rollout, the same for the same seed", async (t) => {
  const directory = t.testdir();
  const run = (text: string, ...flags: readonly string[]) => {
    const file = join(directory, "scenario.yaml");
    writeFileSync(file, text);
    return spawnSync(process.execPath, [program, "fleet", "simulate", file, ...flags], {
      encoding: "utf8",
      env: { ...process.env, LANG: "C" },
    });
  };
  const good = scenario.replace("FAILURES", "10%");
  const shown = run(good);
  t.equal(shown.status, 0, shown.stderr);
  t.match(shown.stdout, /^SUCCEEDED after .*: (\d+) nodes have the release\n\1 of 200 nodes/);
  t.match(shown.stdout, /^canary +4 +0h 00m/m);
  t.match(shown.stdout, /^acme\/box +\d+ +\d+ +\d+/m);
  t.match(shown.stdout, /^succeeded +[.:|]+$/m);
  t.notMatch(shown.stdout, /[^\x20-\x7e\n]/, "ASCII where the page has no more");
  const [first, again] = [run(good, "--json", "--seed", "7"), run(good, "--json", "--seed", "7")];
  t.equal(first.stdout, again.stdout);
  t.match(JSON.parse(first.stdout), { v: 1, seed: 7, nodes: 200, state: "SUCCEEDED" });
  const bad = run(scenario.replace("FAILURES", "0"));
  t.equal(bad.status, 2);
  t.match(bad.stdout, /^PAUSED after .*: wave wide: 1 of \d+ failed, where 0 are borne/);
  const wrong = run(good.replace("soak", "soaks"));
  t.equal(wrong.status, 4);
  t.match(wrong.stderr, /scenario.yaml:9:36 error rollout.waves.0.soaks: no such key/);
});
