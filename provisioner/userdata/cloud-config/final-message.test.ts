import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { linesOf, secretText, translateCloud } from "../sample-translation.ts";
import { checkCases } from "./check-cases.ts";

checkCases(t, [
  {
    name: "a message of another kind",
    yaml: "final_message: [a]\n",
    spec: {},
    says: ["error user-data/wrong-type 2:16 final_message"],
  },
  {
    name: "a template",
    yaml: "final_message: |\n  ## template: jinja\n  {{ uptime }}\n",
    spec: {},
    says: ["warning cloud-config/unsupported-key 2:1 final_message"],
  },
  { name: "blanks", yaml: "final_message: '  '\n", spec: {} },
  {
    name: "nothing but signs for a terminal",
    yaml: 'final_message: "\\e[2J"\n',
    spec: {},
    says: ["warning cloud-config/unsupported-key 2:16 final_message"],
  },
]);

t.test("the message has its variables, and none of it is shell", async (t) => {
  const dir = t.testdir({ console: "", uptime: "12.34 5.67\n" });
  const translation = translateCloud(
    `final_message: "it's $(id) \`id\` up $UPTIME, \${datasource}. $nothing \${x.y} $ \\\\$HOME $timestamp"\n`,
    { datasource: "No'Cloud" },
  );
  t.match(translation.spec.hooks, [{ name: "final-message", when: "post-update", timeout: "1m" }]);
  t.strictSame(linesOf(translation), ["warning cloud-config/unknown-value 2:16 final_message"]);
  t.equal(translation.coverage.agent, 1);
  const script = (secretText(translation, "final-message") ?? "")
    .replaceAll("/var/lib/firstlight", dir)
    .replace("/run/systemd/system", dir)
    .replace("/proc/uptime", join(dir, "uptime"))
    .replaceAll("/dev/console", join(dir, "console"));
  const said = execFileSync("sh", ["-c", script]).toString();
  t.match(
    said,
    /^it's \$\(id\) `id` up 12\.34, No'Cloud\. \$nothing \$\{x\.y\} \$ \\\$HOME \w{3}, \d\d \w{3} \d{4} [\d:]{8} [+-]\d{4}\n$/,
  );
  t.equal(readFileSync(join(dir, "console"), "utf8"), said);
  t.equal(execFileSync("sh", ["-c", script]).toString(), "", "once");
});

t.test("the console gets text alone", async (t) => {
  const yaml =
    'final_message: "up\\n\\e[31;1mred\\e]0;title\\a\\x9b2J\\r\\tdone \\u202e$datasource"\n';
  const translation = translateCloud(yaml, { datasource: "No\u001bcCloud\u0007" });
  t.match(linesOf(translation), ["warning cloud-config/unsupported-key 2:16 final_message"]);
  const script = secretText(translation, "final-message") ?? "";
  t.match(script, "'up\nred2J\tdone '");
  t.match(script, "NoCloud");
  t.notMatch(script, /[^\P{Cc}\n\t]|\u202e/u);
});
