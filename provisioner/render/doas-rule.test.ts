import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { isDoasRule } from "./doas-rule.ts";

const rules = [
  "permit alice",
  "permit nopass :wheel",
  "permit persist keepenv :wheel as root",
  "permit nopass nolog alice as root cmd /run/current-system/sw/bin/reboot",
  "permit alice cmd reboot args",
  'permit alice cmd x args "a b" c\\ d # why',
  "permit setenv { PATH=/bin -HOME } alice",
  "permit setenv { } alice",
  "permit setenv {A B}alice",
  "deny alice cmd sh",
  'permit "as" as "deny"',
  'permit ""',
  "# nothing",
  "permit al\u00a0ice",
  `permit "${"a".repeat(1023)}"`,
];
const others = [
  ...["ALL=(ALL) ALL", "permit", "deny", "permit nopass", "permitt alice", "Permit alice"],
  ...["deny nopass alice", "permit nopass persist alice", "permit alice nopass"],
  ...["permit alice as", "permit alice cmd", "permit alice args x", "permit alice bob"],
  ...['permit "alice', "permit setenv A alice", "permit setenv { A alice", "permit as"],
  ...["permit setenv { A } setenv { B } alice", 'permit "a\\"', `permit ${"a".repeat(1024)}`],
  ...["permit alice cmd x args cmd", "permit alice {", '"permit" alice'],
];

t.test("what is a rule of doas, and what is none", (t) => {
  for (const rule of rules) t.equal(isDoasRule(rule), true, rule);
  for (const rule of others) t.equal(isDoasRule(rule), false, rule);
  t.end();
});

t.test("a long line ends as a short one does", (t) => {
  const long = "a".repeat(5_000_000);
  t.equal(isDoasRule(`permit ${long}`), false);
  t.equal(isDoasRule(`permit alice # ${long}`), true);
  t.equal(isDoasRule(`permit alice cmd x args "${long}`), false);
  t.end();
});

const doas = ["/usr/bin/doas", "/usr/local/bin/doas"].find(
  (file) => spawnSync(file, ["-C", "/dev/null"]).error === undefined,
);

t.test("doas itself says the same", { skip: doas === undefined && "no doas here" }, (t) => {
  const file = path.join(t.testdir(), "doas.conf");
  for (const [index, rule] of [...rules, ...others].entries()) {
    writeFileSync(file, `${rule}\n`);
    chmodSync(file, 0o600);
    const { status } = spawnSync(doas ?? "", ["-C", file]);
    t.equal(status === 0, index < rules.length, rule);
  }
  t.end();
});
