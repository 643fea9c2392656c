import { writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import type { PlanDocument } from "#generated/provisioner/system/plan.ts";
import { validate } from "#generated/provisioner/system/plan.validate.js";
import { filesBelow } from "#integration/files-below.ts";
import { firstlight, healthy, machine } from "./try-commands.ts";

// Each command is a process of its own.
t.setTimeout(120_000);

t.test("a plan is previewed, shown, approved by its digest, and applied or refused", async (t) => {
  const root = machine(t, `#cloud-config\ntimezone: UTC\n${healthy}`);
  const userData = path.join(root, "var/lib/cloud/seed/nocloud/user-data");
  const run = (...args: readonly string[]) =>
    firstlight([...args, "--root", root, "--driver", "dry"]);
  t.match(run("boot"), { code: 0 });
  writeFileSync(userData, `#cloud-config\ntimezone: Europe/Berlin\n${healthy}`);

  const before = filesBelow(root).filter((file) => !file.includes("/run/"));
  const preview = run("plan", "--preview");
  t.match(preview, { code: 0, stdout: /^preview, nothing was built/ });
  t.match(preview.stdout, '~ time.timeZone: "UTC" -> "Europe/Berlin"  (user-data:2)');
  t.notMatch(preview.stderr, /would run/, "no process of Nix");
  t.strictSame(
    filesBelow(root).filter((file) => !file.includes("/run/")),
    before,
  );
  const plan = run("plan");
  t.match(plan.stdout, '~ time.timeZone: "UTC" -> "Europe/Berlin"  (user-data:2)');
  const document = JSON.parse(run("plan", "--json").stdout) as unknown;
  t.ok(validate(document), JSON.stringify(validate.errors));
  const { text, plan: data } = document as PlanDocument;
  // Of another run: another transaction, and other processes write to the disk as well.
  const steady = (lines: string) =>
    lines.replaceAll(/[0-9]{8}T[0-9]{6}-[0-9a-f]{8}/g, "TXN").replaceAll(/: .* free$/gm, ": free");
  t.equal(steady(`${text.join("\n")}\n`), steady(plan.stdout), "the same lines as in the terminal");
  const digest = data?.digest ?? "";

  t.match(run("apply", "--plan", digest.slice(0, 16)), { code: 4, stderr: /64 characters/ });
  writeFileSync(userData, `#cloud-config\ntimezone: Asia/Tokyo\n${healthy}`);
  t.match(run("apply", "--plan", digest), {
    code: 77,
    stdout: /^refused: expected the plan [0-9a-f]{64}: .*another option: time\.timeZone/,
  });
  t.match(run("history"), { stdout: /^ {3}1 .*\[runs, boot default\]\n$/ });
  writeFileSync(userData, `#cloud-config\ntimezone: Europe/Berlin\n${healthy}`);
  t.match(run("apply", "--plan", digest), { code: 0, stdout: /^committed: generation 2/ });
});
