import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import {
  hardwareSigner,
  signedWith,
  skipWithoutSshKeygen,
} from "#provisioner/userdata/signed/try-sign.ts";
import { entry, firstlight, healthy, machine } from "./try-commands.ts";

t.setTimeout(120_000);

const signer = hardwareSigner();
const text = `#cloud-config\nhostname: edge-1\n${healthy}`;

t.test("away from its node it is said who signed a document", async (t) => {
  const directory = t.testdir({
    signed: signedWith(signer, text, { namespace: "firstlight,serial=3" }),
    "for-other": signedWith(signer, text, { namespace: "firstlight,instance-id=i-2" }),
    "meta-data": "instance-id: i-1\n",
    signers: `# who may\n\n${signer.line}\n`,
    others: hardwareSigner().line,
    damaged: signedWith(signer, text).subarray(0, -1),
    template: signedWith(signer, "## template: jinja\n#cloud-config\n"),
    open: signedWith(signer, "#cloud-config\nlaunch-index: 1\n"),
    "by-http": signedWith(signer, "#include\nhttp://192.0.2.1/a\n"),
    "no-key": `${signer.line}\nssh-ed25519 AAAA\n`,
    empty: "# nobody\n",
  });
  const at = (name: string) => path.join(directory, name);
  const validate = (file: string, ...more: readonly string[]) =>
    firstlight(["validate", at(file), ...more]);
  const [good, bad] = [at("signers"), at("others")].map((file) => ["--signers", file] as const);
  t.match(validate("signed"), {
    code: 0,
    stdout: /:2:1 note: .*\[user-data\/signature-unchecked\]\n.*--signers FILE/,
  });
  t.match(validate("signed", ...(good ?? [])), {
    code: 0,
    stdout: /:1:1 note: signed by token \(SHA256:.*with the serial 3 \[user-data\/signed-by\]/,
  });
  t.match(validate("signed", ...(bad ?? [])), { code: 4, stdout: /signature-foreign/ });
  t.match(validate("damaged"), {
    code: 4,
    stdout: /signature-wrong.*\n.*newline at its end was lost/,
  });
  t.match(validate("template", ...(good ?? [])), { code: 4, stdout: /signed-template/ });
  for (const [name, code] of [
    ["open", /signed-launch-index/],
    ["by-http", /signed-unprotected/],
  ] as const) {
    t.match(validate(name, ...(good ?? [])), { code: 4, stdout: code });
    t.notMatch(validate(name), { stdout: code }, "nobody's signature counts");
  }
  t.match(validate("signed", "--kind", "network"), {
    code: 4,
    stdout: /:1:1 error: a signed document is read where/,
  });
  t.match(validate("signed", "--signers", at("no-key")), {
    code: 4,
    stderr: /no-key:2: expected a public key/,
  });
  t.match(validate("signed", "--signers", at("empty")), {
    code: 4,
    stderr: /empty: expected a public key/,
  });
  const translated = firstlight(["translate", at("signed"), ...(good ?? [])]);
  t.match(translated, { code: 0, stdout: /"hostname": "edge-1"/, stderr: /user-data\/signed-by/ });
  const render = (meta: readonly string[]) =>
    firstlight([
      "render",
      "--user-data",
      at("for-other"),
      ...meta,
      ...(good ?? []),
      "--out",
      at("out"),
    ]);
  t.match(render([]), { code: 0, stderr: /for the instance "i-2" \[user-data\/signed-by\]/ });
  t.match(render(["--meta-data", at("meta-data")]), {
    code: 4,
    stderr: /is for the instance "i-2", and this is "i-1"/,
  });
});

t.test("a machine takes what its image trusts, and an older text never again", async (t) => {
  const signed = (hostname: string, serial: number) =>
    signedWith(signer, text.replace("edge-1", hostname), {
      namespace: `firstlight,serial=${serial}`,
    });
  const root = machine(t, text);
  const userData = path.join(root, "var/lib/cloud/seed/nocloud/user-data");
  mkdirSync(path.join(root, "etc/firstlight"), { recursive: true });
  const settings = {
    userData: { signers: [signer.line], signature: "required" },
    policy: { changes: "require-signature" },
  };
  writeFileSync(path.join(root, "etc/firstlight/settings.json"), JSON.stringify(settings));
  const boot = () => firstlight(["boot", "--root", root, "--driver", "dry", "-v"]);
  t.match(boot(), { code: 4, stderr: /expected signed user-data, and it is not signed/ });
  writeFileSync(userData, signed("edge-1", 1));
  t.match(boot(), {
    code: 0,
    stdout: /^committed: generation 1 /,
    stderr: /user-data\.signed .*serial=1/,
  });
  t.match(boot(), { code: 0, stdout: /^unchanged/ });
  writeFileSync(userData, signed("edge-2", 2));
  t.match(boot(), { code: 0, stdout: /^committed: generation 2 / });
  writeFileSync(userData, signed("edge-1", 1));
  t.match(boot(), { code: 77, stdout: /^refused: .*the serial 1, and expected is one above 2/ });
});

t.test("the commands of the page do what it says", { skip: skipWithoutSshKeygen }, async (t) => {
  const page = readFileSync(path.join(import.meta.dirname, "../docs/signed-user-data.md"), "utf8");
  const [, script = ""] = /```sh\n([\s\S]*?)```/.exec(page) ?? [];
  t.match(script, /ssh-keygen -Y sign/);
  const home = t.testdir({ ".ssh": {}, "user-data": text });
  const key = path.join(home, ".ssh/id_ed25519");
  spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "ops", "-f", key]);
  const commands = script
    .replace("firstlight validate", `${process.execPath} ${entry} validate`)
    .replaceAll("~", home);
  const run = spawnSync("sh", ["-e", "-c", commands], { cwd: home, encoding: "utf8" });
  t.equal(run.status, 0, run.stderr);
  t.match(
    run.stdout,
    /^user-data\.signed:1:1 note: signed by ops \(SHA256:.*\), with the serial \d{10} /,
  );
});
