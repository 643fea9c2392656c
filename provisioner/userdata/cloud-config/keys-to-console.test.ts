import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { linesOf, secretText, translateCloud } from "../sample-translation.ts";
import { checkCases } from "./check-cases.ts";

checkCases(t, [
  { name: "nothing is shown without a word", yaml: "ssh: {emit_keys_to_console: no}\n", spec: {} },
  {
    name: "what is left out of nothing",
    yaml: "ssh_fp_console_blacklist: [ssh-rsa]\nssh_key_console_blacklist: ssh-rsa\n",
    spec: {},
    says: [
      "note cloud-config/no-meaning 2:1 ssh_fp_console_blacklist",
      "note cloud-config/no-meaning 3:1 ssh_key_console_blacklist",
    ],
  },
  {
    name: "values of other kinds",
    yaml: 'ssh: {emit_keys_to_console: [a], other: 1}\nssh_fp_console_blacklist: {a: b}\nssh_key_console_blacklist: [7, "a\' b"]\n',
    spec: {},
    says: [
      "error user-data/wrong-type 2:29 ssh.emit_keys_to_console",
      "warning cloud-config/unsupported-key 2:34 ssh.other",
      "error user-data/wrong-type 3:27 ssh_fp_console_blacklist",
      "error user-data/wrong-type 4:29 ssh_key_console_blacklist.0",
      "warning cloud-config/unknown-value 4:32 ssh_key_console_blacklist.1",
    ],
  },
  {
    name: "a text is no section",
    yaml: "ssh: yes\n",
    spec: {},
    says: ["error user-data/wrong-type 2:6 ssh"],
  },
]);

t.test("keys and fingerprints, in the lines by which tools find them", async (t) => {
  const translation = translateCloud(
    "ssh: {emit_keys_to_console: true}\nssh_key_console_blacklist: [ecdsa-sha2-nistp256]\n",
  );
  t.strictSame(linesOf(translation), []);
  t.match(translation.spec.commands, [
    { name: "keys-to-console", when: "late", frequency: "instance" },
  ]);
  t.strictSame(translation.coverage, { translated: 1, agent: 1, unsupported: 0 });
  const dir = t.testdir({ console: "" });
  for (const kind of ["ed25519", "ecdsa"]) {
    const file = join(dir, `ssh_host_${kind}_key`);
    execFileSync("ssh-keygen", ["-q", "-t", kind, "-N", "", "-C", kind, "-f", file]);
  }
  const script = (secretText(translation, "keys-to-console") ?? "")
    .replaceAll("/etc/ssh", dir)
    .replaceAll("/dev/console", join(dir, "console"));
  execFileSync("sh", ["-c", script]);
  t.match(
    readFileSync(join(dir, "console"), "utf8"),
    /^-----BEGIN SSH HOST KEY FINGERPRINTS-----\n256 SHA256:\S+ ecdsa \(ECDSA\)\n256 SHA256:\S+ ed25519 \(ED25519\)\n-----END SSH HOST KEY FINGERPRINTS-----\n-----BEGIN SSH HOST KEY KEYS-----\nssh-ed25519 \S+ ed25519\n-----END SSH HOST KEY KEYS-----\n$/,
  );
});
