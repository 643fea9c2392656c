import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import t, { type Test } from "tap";
import { secretText, translateCloud } from "../sample-translation.ts";
import { checkCases } from "./check-cases.ts";

checkCases(t, [
  {
    name: "a section of another kind",
    yaml: "random_seed: [a]\n",
    spec: {},
    says: ["error user-data/wrong-type 2:14 random_seed"],
  },
  {
    name: "values of other kinds",
    yaml: "random_seed: {file: relative, data: [a], encoding: rot13, command: ls, command_required: perhaps, other: 1}\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:21 random_seed.file",
      "error user-data/wrong-type 2:37 random_seed.data",
      "warning cloud-config/unknown-value 2:42 random_seed.encoding",
      "error user-data/wrong-type 2:68 random_seed.command",
      "error user-data/wrong-type 2:90 random_seed.command_required",
      "warning cloud-config/unsupported-key 2:99 random_seed.other",
    ],
  },
  {
    name: "neither data nor a command",
    yaml: "random_seed: {encoding: raw}\n",
    spec: {},
    says: ["note cloud-config/no-meaning 2:1 random_seed"],
  },
  {
    name: "a command that is required and not there",
    yaml: "random_seed: {command_required: true}\n",
    spec: {},
    says: [
      "note cloud-config/no-meaning 2:1 random_seed",
      "error user-data/wrong-type 2:33 random_seed.command_required",
    ],
  },
  {
    name: "more than a seed",
    yaml: `random_seed: {data: ${"a".repeat(65_537)}}\n`,
    spec: {},
    says: ["error user-data/wrong-type 2:21 random_seed.data"],
  },
]);

/** What the file holds after the script has run, and how that ended. */
function seeded(t: Test, yaml: string): { readonly bytes: Buffer; readonly ended: boolean } {
  const dir = t.testdir({ pool: "before " });
  const translation = translateCloud(yaml);
  t.match(translation.spec.commands, [
    { name: "random-seed", when: "early", frequency: "instance" },
  ]);
  const pool = join(dir, "pool");
  const script = (secretText(translation, "random-seed") ?? "").replaceAll("/dev/urandom", pool);
  let ended = true;
  try {
    execFileSync("sh", ["-c", script], { stdio: "ignore" });
  } catch {
    ended = false;
  }
  return { bytes: readFileSync(pool), ended };
}

t.test("data reaches the pool as it was", async (t) => {
  const long = "x".repeat(1_000);
  for (const [fields, text] of [
    ["data: plain, encoding: raw", "plain"],
    ["data: cGxhaW4=, encoding: b64", "plain"],
    [`data: !!binary ${gzipSync("zipped").toString("base64")}, encoding: gzip`, "zipped"],
    [`data: ${long}`, long],
  ]) {
    const { bytes } = seeded(t, `random_seed: {${fields}}\n`);
    t.equal(bytes.toString(), `before ${text}`);
  }
});

t.test("the command runs after it, and knows the file", async (t) => {
  const command = (words: string, more = "") =>
    seeded(t, `random_seed: {data: a, command: [${words}]${more}}\n`);
  const { bytes, ended } = command("sh, -c, 'printf b >> $RANDOM_SEED_FILE'");
  t.equal(bytes.toString(), "before ab");
  t.ok(ended);
  t.notOk(command("sh, -c, exit 3").ended);
  t.ok(command("no-such-program, '-x y'").ended, "it is not there");
  t.notOk(command("no-such-program", ", command_required: true").ended);
});

t.test("the seed is a secret, and nowhere else", async (t) => {
  const { spec, findings } = translateCloud("random_seed: {data: canary, command: [canary]}\n");
  t.notMatch(JSON.stringify([spec, findings]), /canary|Y2FuYXJ5/);
});
