import { writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import type { PlanDocument } from "#generated/provisioner/system/plan.ts";
import { validate } from "#generated/provisioner/system/plan.validate.js";
import { filesBelow } from "#integration/files-below.ts";
import { firstlight, machine } from "./try-commands.ts";

// Each command is a process of its own.
t.setTimeout(120_000);

/** What a person asks for: a time zone, and a broker that is not there. */
function cloudConfig(timeZone: string, broker: string): string {
  return `#cloud-config
timezone: ${timeZone}
firstlight:
  health: { passes: 1, interval: 1ms, timeout: 1s }
  report: { mqtt: { host: 127.0.0.1, ${broker} } }
`;
}

t.test("a plan is previewed, shown, approved by its digest, and applied or refused", async (t) => {
  const root = machine(t, cloudConfig("UTC", "port: 1, password: canary-1"));
  const userData = path.join(root, "var/lib/cloud/seed/nocloud/user-data");
  const run = (...args: readonly string[]) =>
    firstlight([...args, "--root", root, "--driver", "dry"]);
  t.match(run("boot"), { code: 0 });
  writeFileSync(userData, cloudConfig("Europe/Berlin", "port: 2, password: canary-2"));

  // Of a secret that is new the name of its file is shown, so the file is made.
  const files = () => filesBelow(root).filter((file) => !/\/run\/|\/credentials\//.test(file));
  const before = files();
  const preview = run("plan", "--preview");
  t.match(preview, { code: 0, stdout: /^preview, nothing was built/ });
  t.match(preview.stdout, '~ time.timeZone: "UTC" -> "Europe/Berlin"  (user-data:2)');
  t.match(preview.stdout, "~ report.mqtt.port: 1 -> 2  (user-data:5)");
  t.notMatch(preview.stderr, /would run/, "no process of Nix");
  t.strictSame(files(), before);
  const plan = run("plan");
  t.match(plan.stdout, '~ time.timeZone: "UTC" -> "Europe/Berlin"  (user-data:2)');
  t.match(plan.stdout, "~ report.mqtt.port: 1 -> 2  (user-data:5)");
  const file = '"mqtt-password@[0-9a-f]{16}"';
  const password = `~ report.mqtt.password: ${file} -> ${file}  \\(user-data:5\\)`;
  t.match(plan.stdout, new RegExp(password), "another one, by the name of its file");
  t.notMatch(preview.stdout + plan.stdout, "canary");
  const document = JSON.parse(run("plan", "--json").stdout) as unknown;
  t.ok(validate(document), JSON.stringify(validate.errors));
  const { text, plan: data } = document as PlanDocument;
  // Of another run: another transaction, and other processes write to the disk as well.
  const steady = (lines: string) =>
    lines.replaceAll(/[0-9]{8}T[0-9]{6}-[0-9a-f]{8}/g, "TXN").replaceAll(/: .* free$/gm, ": free");
  t.match(data?.options, [
    { option: "report.mqtt.password", change: "changed", setBy: { line: 5 } },
    { option: "report.mqtt.port", before: "1", after: "2", setBy: { line: 5 } },
  ]);
  t.equal(steady(`${text.join("\n")}\n`), steady(plan.stdout), "the same lines as in the terminal");
  const digest = data?.digest ?? "";

  t.match(run("apply", "--plan", digest.slice(0, 16)), { code: 4, stderr: /64 characters/ });
  writeFileSync(userData, cloudConfig("Asia/Tokyo", "port: 2, password: canary-2"));
  t.match(run("apply", "--plan", digest), {
    code: 77,
    stdout: /^refused: expected the plan [0-9a-f]{12}…: .*another option: time\.timeZone/,
  });
  t.match(run("history"), { stdout: /^ {3}1 .*\[runs, boot default\]\n$/ });
  writeFileSync(userData, cloudConfig("Europe/Berlin", "port: 2, password: canary-2"));
  t.match(run("apply", "--plan", digest), { code: 0, stdout: /^committed: generation 2/ });
  t.match(run("apply", "--plan", digest), { code: 0, stdout: /^unchanged: / }, "once more");
  const another = run("apply", "--plan", "0".repeat(64));
  t.match(another, { code: 77, stdout: /^refused: .*nothing would change now.*plan-stale/ });
});

t.test("a plan that fails says in JSON what it says in the terminal", async (t) => {
  const root = machine(t, `${cloudConfig("UTC", "port: 1")}no_such_key: 1\n`);
  const manifest = path.join(root, "manifest.json");
  writeFileSync(manifest, "{}");
  const run = firstlight([
    "plan",
    "--json",
    "--fetch",
    manifest,
    "--root",
    root,
    "--driver",
    "dry",
  ]);
  const { fault, findings } = JSON.parse(run.stdout);
  t.match(run, { code: 1, stderr: /no_such_key/ });
  t.match(findings, [{ code: "cloud-config/unknown-key" }]);
  t.match(fault, { hint: /./ });
});
