import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { isSudoRule } from "./sudo-rule.ts";

const rules = [
  "ALL=(ALL) ALL",
  "ALL=(ALL:ALL) NOPASSWD:ALL",
  "ALL = (root, www-data : adm) NOPASSWD: SETENV: /bin/ls, !/bin/sh, (bob) /bin/x a b",
  "host1, host2 = /usr/bin/systemctl restart nginx",
  "ALL=(:adm) sudoedit /etc/motd",
  "ALL=() /bin/ls",
  "ALL=(ALL) CWD=/srv TIMEOUT=5m /bin/ls -l",
  "ALL=(root) /bin/a\\,b, /bin/c",
];
const others = [
  ...["Defaults !requiretty", "garbage (((", "ALL", "ALL=", "ALL=(root", "=ALL"],
  "ALL=(ALL) NOPASSWD: systemctl restart nginx",
  ...["ALL=(ALL) NOPASSWD:", "ALL=(ALL) NOPASSWD ALL", "ALL=(ALL) NOPASSWORD: ALL"],
  ...[
    "ALL=(ALL) nopasswd: ALL",
    "ALL=(ALL) all",
    "ALL=(ALL) /bin/a,",
    "ALL=(ALL) /bin/a, , /bin/b",
  ],
  ...['ALL=(ALL) "/bin/x"', "ALL=(bob,) ALL"],
];

t.test("what is a rule of sudo, and what is none", (t) => {
  for (const rule of rules) t.equal(isSudoRule(rule), true, rule);
  for (const rule of others) t.equal(isSudoRule(rule), false, rule);
  t.end();
});

const visudo = ["/usr/sbin/visudo", "/usr/bin/visudo"].find(
  (file) => spawnSync(file, ["--version"]).status === 0,
);

t.test("sudo itself says the same", { skip: visudo === undefined && "no sudo here" }, (t) => {
  const file = path.join(t.testdir(), "sudoers");
  for (const [index, rule] of [...rules, ...others].entries()) {
    writeFileSync(file, `alice ${rule}\n`, { mode: 0o440 });
    const { status } = spawnSync(visudo ?? "", ["-cqf", file]);
    t.equal(status === 0, index < rules.length, rule);
  }
  t.end();
});
