import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { secretText, translateCloud } from "../sample-translation.ts";
import { checkCases } from "./check-cases.ts";

checkCases(t, [
  { name: "none are shown without a word", yaml: "no_ssh_fingerprints: true\n", spec: {} },
  {
    name: "a hash for none",
    yaml: "no_ssh_fingerprints: yes\nauthkey_hash: md5\n",
    spec: {},
    says: ["note cloud-config/no-meaning 3:1 authkey_hash"],
  },
  {
    name: "values of other kinds",
    yaml: "no_ssh_fingerprints: perhaps\nauthkey_hash: 7\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:22 no_ssh_fingerprints",
      "error user-data/wrong-type 3:15 authkey_hash",
    ],
  },
  {
    name: "a hash that ssh-keygen does not know",
    yaml: "authkey_hash: crc32\n",
    spec: {},
    says: ["warning cloud-config/unknown-value 2:1 authkey_hash"],
  },
]);

t.test("the fingerprints of who may log in", async (t) => {
  const translation = translateCloud(
    "users: [{name: alice}, {name: bob}, {name: daemon, system: true}]\nauthkey_hash: MD5\n",
  );
  t.match(translation.spec.commands, [{ name: "ssh-fingerprints", when: "late" }]);
  t.equal(translation.coverage.agent, 1);
  const dir = t.testdir({ console: "" });
  mkdirSync(join(dir, "authorized_keys.d"));
  const file = join(dir, "key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "laptop", "-f", file]);
  renameSync(`${file}.pub`, join(dir, "authorized_keys.d/alice"));
  const script = (secretText(translation, "ssh-fingerprints") ?? "")
    .replaceAll("/etc/ssh", dir)
    .replaceAll("/dev/console", join(dir, "console"));
  execFileSync("sh", ["-c", script]);
  const shown = readFileSync(join(dir, "console"), "utf8").replaceAll(dir, "");
  t.match(
    shown,
    /^keys that may log in as alice \(\/authorized_keys\.d\/alice\):\n256 MD5:[0-9a-f:]{47} laptop \(ED25519\)\nno keys may log in as bob\n$/,
  );
});
