import t from "tap";
import { formatFinding } from "#core/finding.ts";
import { readDefinition, readScenario } from "./read-document.ts";

const good = `version: 1
name: web-7
release: { name: web, number: 7 }
select: environment=prod
waves:
  - { name: canary, perModel: 1, soak: 1h, approval: true }
  - { name: tenth, size: 10% }
  - { name: wide }
budgets: [{ by: site, max: 25% }]
windows: [{ days: [sat, sun], from: "22:00", to: "04:00", timezone: Europe/Berlin }]
`;

t.test("a definition is read as YAML or JSON", async (t) => {
  const { value, findings } = readDefinition(good, "web-7.yaml");
  t.strictSame(findings, []);
  t.match(value, { name: "web-7", waves: [{ perModel: 1 }, { size: "10%" }, { name: "wide" }] });
  t.strictSame(readDefinition(JSON.stringify(value), "web-7.json").value, value);
});

const wrong: readonly (readonly [from: string, to: string, said: string])[] = [
  [
    "perModel: 1",
    "perModell: 1",
    "f:6:21 error waves.0.perModell: no such key [rollout/invalid]\n  did you mean `perModel`?",
  ],
  ["size: 10%", "size: 0%", "f:7:26 error waves.1.size: takes no node"],
  ["size: 10%", "size: many", "f:7:26 error waves.1.size: does not have the form"],
  [
    "{ name: wide }",
    "{ name: wide, size: 5 }",
    "f:8:5 error waves.2: the last wave must take whoever is left",
  ],
  ["name: tenth", "name: canary", "f:7:13 error waves.1.name: there is a wave canary already"],
  [
    "environment=prod",
    '"environment="',
    'f:4:9 error select: selector "environment=", character 13',
  ],
  [
    "Europe/Berlin",
    "Europe/Atlantis",
    "error windows.0.timezone: there is no time zone Europe/Atlantis",
  ],
  ["[sat, sun]", "[satt]", "error windows.0.days.0: must be mon, tue"],
  ["number: 7", "number: 0", "error release.number: must be at least 1"],
  ["version: 1", "version: 2", "f:1:10 error version: must be 1"],
  ["max: 25%", "max: 0", "error budgets.0.max: lets no node be started"],
  ["select: environment=prod\n", "", "error: lacks `select`"],
  ["budgets:", "deadline: 30m\nbudgets:", "error deadline: is over before the waves have soaked"],
];

t.test("what is wrong with one is said with its place", async (t) => {
  for (const [from, to, said] of wrong) {
    const { value, findings } = readDefinition(good.replace(from, to), "f");
    t.equal(value, undefined, to);
    t.ok(
      findings.map(formatFinding).join("\n").includes(said),
      `${said}\n${findings.map(formatFinding)}`,
    );
  }
});

t.test("a scenario is read with the rollout in it", async (t) => {
  const text = `version: 1
nodes: 10
rollout:
${good.replaceAll(/^(?=.)/gm, "  ")}models: [{ model: acme/box, failures: 2.5 }]
labels: { site: [5], role: [gateway, sensor] }
`;
  t.strictSame(readScenario(text, "s").findings, []);
  const bad = text.replace("soak: 1h", "soak: 1x").replace("failures: 2.5", "failure: 2.5");
  t.match(readScenario(bad, "s").findings.map(formatFinding), [
    /^s:9:4\d error rollout.waves.0.soak: does not have the form/,
    /no such key .*\n {2}did you mean `failures`\?/,
  ]);
});
