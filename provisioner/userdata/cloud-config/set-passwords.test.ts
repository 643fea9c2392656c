import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { plainDefaultUser as nixos, secretText, translateCloud } from "../sample-translation.ts";
import { checkCases } from "./check-cases.ts";
import { onceFunction } from "./own-command.ts";

const hash = "$6$saltsalt$hashhashhashhash";
const other = "$y$j9T$saltsalt$hashhashhashhash";
/** What `openssl passwd -6` makes of `hunter2` with the salts of these users. */
const ofA =
  "$6$Esa4F4wHvkTnkdwN$hF2MumRB/p9Ix9AKVH4FZmOI30L1KO54QI5mafaz1agYLkCtHAyPlCWcGmwBURPC113Akvu3Ka9OBERYKX2by1";
const ofNixos =
  "$6$9SFYMcicJcL9QtfH$lCgMKkYnGueBc8CcWn0IdQYJYItSz9SBuuYD541St4kSk097hasGBx491rWM07l9J3h72SzuyBQU5gb7bMWY10";

const quiet = "  expire: false\n";
const withA = (yaml: string) => `users: [{name: a}]\nchpasswd:\n${quiet}${yaml}`;
const a = { users: { a: { locked: false, passwordHash: { secretRef: "user-a-password" } } } };
const expires = (name: string, context: { readonly instanceId?: string } = {}) => ({
  commands: [
    {
      name: "expire-passwords",
      when: "early" as const,
      frequency: "instance" as const,
      script: { secretRef: "expire-passwords" },
    },
  ],
  secrets: {
    "expire-passwords": `#!/bin/sh\n${onceFunction(context)}\ncode=0\nonce 'expire-${name}' chage -d 0 '${name}' || code=1\nexit $code\n`,
  },
});

checkCases(t, [
  {
    name: "a hash, which unlocks the account",
    yaml: withA(`  users: [{name: a, password: ${hash}}]\n`),
    spec: a,
    secrets: { "user-a-password": hash },
  },
  {
    name: "a password in plain text is a hash at once",
    yaml: withA("  users: [{name: a, password: hunter2, type: text}]\n"),
    spec: a,
    secrets: { "user-a-password": ofA },
    context: { instanceId: "i-1" },
  },
  {
    name: "a number is the text of Python",
    yaml: withA("  list: ['a:hunter2']\n  users: [{name: b, password: 12, type: text}]\n"),
    spec: a,
    secrets: { "user-a-password": ofA },
    context: { instanceId: "i-1" },
    says: [
      "warning cloud-config/no-user 6:21 chpasswd.users.0.password",
      "warning user-data/taken-as-text 6:31 chpasswd.users.0.password",
    ],
  },
  {
    name: "root has one without being listed, and a password makes no user",
    yaml: withA(
      `  users:\n  - {name: root, password: ${hash}}\n  - {name: ubuntu, password: ${hash}}\n`,
    ),
    spec: {
      users: {
        a: { locked: true },
        root: { locked: false, passwordHash: { secretRef: "user-root-password" } },
      },
    },
    secrets: { "user-root-password": hash },
    says: ["warning cloud-config/no-user 7:20 chpasswd.users.1.password"],
  },
  {
    name: "a user of the part of the spec",
    yaml: `firstlight: {users: {s: {uid: 7}}}\n${withA(`  users: [{name: s, password: ${hash}}]\n`)}`,
    spec: {
      users: {
        a: { locked: true },
        s: { locked: false, passwordHash: { secretRef: "user-s-password" }, uid: 7 },
      },
    },
    secrets: { "user-s-password": hash },
  },
  {
    name: "the old list of lines: what begins as a hash is one",
    yaml: withA(`  list: |\n    a:${other}\n\n`),
    spec: a,
    secrets: { "user-a-password": other },
  },
  {
    name: "a colon belongs to the password",
    yaml: withA(`  list: ['a:${hash}:x']\n`),
    spec: a,
    secrets: {
      "user-a-password":
        "$6$Esa4F4wHvkTnkdwN$67Vr5.ek2BPUIs5WsDSlW3YnJm67p2UCCMmXoHDTP8Hwo.X7MCVpsDBhOp17MfNFqYX06er8.WBe3es8IDf3o/",
    },
    context: { instanceId: "i-1" },
  },
  {
    name: "lines without a name",
    yaml: withA("  list: [hunter2, ':hunter2', 7]\n"),
    spec: { users: { a: { locked: true } } },
    says: [
      "warning cloud-config/unknown-value 5:10 chpasswd.list.0",
      "warning cloud-config/unknown-value 5:19 chpasswd.list.1",
      "error user-data/wrong-type 5:31 chpasswd.list.2",
    ],
  },
  {
    name: "of several the last counts, and a hash comes after plain text",
    yaml: withA(
      `  users: [{name: a, password: ${hash}}, {name: a, password: x, type: text}]\n  list: ['a:${other}']\n`,
    ),
    spec: a,
    secrets: { "user-a-password": other },
    says: [
      "note cloud-config/overridden 5:21 chpasswd.users.0.password",
      "note cloud-config/overridden 5:72 chpasswd.users.1.password",
    ],
  },
  {
    name: "it counts more than what stands under the user",
    yaml: `users: [{name: a, lock_passwd: true, passwd: ${other}}]\nchpasswd: {expire: false, users: [{name: a, password: ${hash}}]}\n`,
    spec: { users: { a: { locked: false, passwordHash: { secretRef: "user-a-password_2" } } } },
    secrets: { "user-a-password_2": hash },
  },
  {
    name: "`password` is the default user's, and expires as every other",
    yaml: "password: hunter2\n",
    spec: {
      users: {
        nixos: { ...nixos, locked: false, passwordHash: { secretRef: "user-nixos-password" } },
      },
      commands: expires("nixos").commands,
    },
    secrets: { "user-nixos-password": ofNixos, ...expires("nixos", { instanceId: "i-1" }).secrets },
    context: { instanceId: "i-1" },
  },
  {
    name: "`password` beside others, and for nobody",
    yaml: withA(`  users: [{name: a, password: ${hash}}]\npassword: hunter2\n`),
    spec: a,
    secrets: { "user-a-password": hash },
    says: ["note cloud-config/overridden 6:1 password"],
  },
  {
    name: "`password` for nobody",
    yaml: "users: []\npassword: hunter2\n",
    spec: {},
    says: ["warning cloud-config/no-default-user 3:1 password"],
  },
  {
    name: "what expires is asked for once",
    yaml: `users: [a]\nchpasswd: {expire: yes, users: [{name: a, password: ${hash}}]}\n`,
    spec: { ...a, commands: expires("a").commands },
    secrets: { "user-a-password": hash, ...expires("a").secrets },
  },
  ...Object.entries({ true: "note", false: "note", "'yes'": "warning" }).map(([expire, level]) => ({
    name: `nothing expires: ${expire}`,
    yaml: `chpasswd: {expire: ${expire}}\n`,
    spec: {},
    says: [`${level} cloud-config/no-meaning 2:12 chpasswd.expire`],
  })),
  {
    name: "a text alone, and lines of which one is odd",
    yaml: withA("  list: |\n    hunter2\n    a:hunter2\n"),
    spec: a,
    secrets: {
      "user-a-password": ofA,
    },
    says: ["warning cloud-config/unknown-value 6:5 chpasswd.list"],
    context: { instanceId: "i-1" },
  },
  {
    name: "a hash that NixOS does not know",
    yaml: withA("  users: [{name: a, password: $5$salt$hash}]\n"),
    spec: a,
    secrets: { "user-a-password": "$5$salt$hash" },
    says: ["warning cloud-config/weak-hash 5:31 chpasswd.users.0.password"],
  },
  {
    name: "what is no hash, and a password that crypt does not take",
    yaml: withA(
      `  users: [{name: a, password: hunter2}, {name: root, type: text, password: "a\\nb"}]\n  list: ['a:${"é".repeat(256)}']\n`,
    ),
    spec: { users: { a: { locked: true } } },
    says: [
      "warning cloud-config/not-a-hash 5:31 chpasswd.users.0.password",
      "error cloud-config/plain-password 5:76 chpasswd.users.1.password",
      "error cloud-config/plain-password 6:10 chpasswd.list.0",
    ],
  },
  {
    name: "entries that lack something, and of other kinds",
    yaml: withA(
      `  users:\n  - {password: ${hash}}\n  - {name: a}\n  - {name: a, type: plain, password: x}\n  - a\n  - {name: [a], password: {b: c}}\n  - {name: a, type: 7, password: ${hash}, colour: red}\n`,
    ),
    spec: { users: { a: { locked: true } } },
    says: [
      "error user-data/wrong-type 6:5 chpasswd.users.0",
      "error user-data/wrong-type 7:5 chpasswd.users.1",
      "error user-data/wrong-type 8:21 chpasswd.users.2.type",
      "error user-data/wrong-type 9:5 chpasswd.users.3",
      "error user-data/wrong-type 10:12 chpasswd.users.4.name",
      "error user-data/wrong-type 10:27 chpasswd.users.4.password",
      "error user-data/wrong-type 11:21 chpasswd.users.5.type",
      "warning cloud-config/unsupported-key 11:64 chpasswd.users.5.colour",
    ],
  },
  {
    name: "sections of other kinds",
    yaml: "chpasswd: [a]\npassword: [b]\nssh_pwauth: perhaps\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:11 chpasswd",
      "error user-data/wrong-type 3:11 password",
      "error user-data/wrong-type 4:13 ssh_pwauth",
    ],
  },
  {
    name: "lists of other kinds",
    yaml: "chpasswd: {users: {a: b}, list: {c: d}, expire: perhaps}\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:19 chpasswd.users",
      "error user-data/wrong-type 2:33 chpasswd.list",
      "error user-data/wrong-type 2:49 chpasswd.expire",
    ],
  },
  {
    name: "password logins",
    yaml: "ssh_pwauth: yes\n",
    spec: { sshd: { passwordAuthentication: true } },
  },
  {
    name: "password logins as text",
    yaml: "ssh_pwauth: 'no'\n",
    spec: { sshd: { passwordAuthentication: false } },
  },
  { name: "password logins left alone", yaml: "ssh_pwauth: unchanged\n", spec: {} },
]);

t.test("RANDOM is made on the node, and is nowhere in the translation", async (t) => {
  const translation = translateCloud(
    "users: [{name: a, passwd: $6$a$b}]\nchpasswd:\n  expire: false\n  list: ['a:R']\n  users: [{name: root, type: RANDOM}]\n",
  );
  t.strictSame(translation.spec.users, { a: { locked: false }, root: { locked: false } });
  t.match(translation.spec.commands, [
    { name: "random-passwords", when: "early", frequency: "instance" },
  ]);
  const script = secretText(translation, "random-passwords") ?? "";
  t.match(script, /\nonce 'random-root' make 'root' \|\| code=1\nonce 'random-a' make 'a' /);
  t.equal(translation.coverage.agent, 2);
});

t.test("RANDOM could not last where accounts are made anew at each boot", async (t) => {
  const { spec, findings } = translateCloud(
    "firstlight: {mutableUsers: false}\nchpasswd: {users: [{name: root, type: RANDOM}]}\n",
  );
  t.match(findings, [{ code: "cloud-config/unsupported-key", path: "chpasswd.users.0.type" }]);
  t.strictSame([spec.commands, spec.users?.["root"]], [undefined, undefined]);
});

t.test("a password beside RANDOM is not used", async (t) => {
  const { findings } = translateCloud(
    "chpasswd: {users: [{name: root, type: RANDOM, password: x}]}\n",
  );
  t.match(findings, [{ code: "cloud-config/overridden", path: "chpasswd.users.0.password" }]);
});

t.test(
  "the salt is of user and instance, so that the same document has the same hash",
  async (t) => {
    const hashOf = (instanceId: string, name = "a") =>
      secretText(
        translateCloud(`users: [${name}]\nchpasswd: {list: ['${name}:hunter2']}\n`, { instanceId }),
        `user-${name}-password`,
      );
    t.equal(hashOf("i-1"), hashOf("i-1"));
    t.equal(new Set([hashOf("i-1"), hashOf("i-2"), hashOf("i-1", "b")]).size, 3);
  },
);

t.test("of one document so many passwords are hashed, and no more", async (t) => {
  const names = Array.from({ length: 102 }, (_, index) => `u${index}`);
  const { findings } = translateCloud(
    `users: [${names}]\nchpasswd: {expire: false, list: [${names.map((name) => `'${name}:x'`)}]}\n`,
  );
  t.strictSame(
    findings.map(({ code, path }) => [code, path]),
    [100, 101].map((index) => ["cloud-config/plain-password", `chpasswd.list.${index}`]),
  );
});

/** Runs a script of the translation with programs that only write down what they are given. */
function runScript(t: Test, script: string, chpasswd: string) {
  const dir = t.testdir({ console: "", log: "" });
  const text = script
    .replaceAll("/var/lib/firstlight", dir)
    .replaceAll("/dev/console", join(dir, "console"));
  const stubs = `chpasswd() { ${chpasswd}; }\nchage() { echo "chage $*" >> ${dir}/log; }\n`;
  const run = (more = "") => {
    const { status } = spawnSync("sh", [
      "-c",
      stubs.replace("LOG", join(dir, "log")) + text + more,
    ]);
    return status;
  };
  return { run, read: (file: string) => readFileSync(join(dir, file), "utf8") };
}

t.test(
  "a password that was made is set and shown, once, and only where both were done",
  async (t) => {
    const translation = translateCloud(
      "users: [a]\nchpasswd: {users: [{name: root, type: RANDOM}, {name: a, type: RANDOM}]}\n",
    );
    const script = secretText(translation, "random-passwords") ?? "";
    const good = runScript(t, script, "cat >> LOG");
    t.equal(good.run(), 0);
    const [root = "", a = ""] = good.read("log").split("\n");
    t.match(root, /^root:[a-zA-Z2-9]{20}$/);
    t.match(a, /^a:[a-zA-Z2-9]{20}$/);
    t.not(root.slice(5), a.slice(2));
    const words = "firstlight made a password, and shows it here only: ";
    t.equal(good.read("console"), `${words}${root}\n${words}${a}\n`);
    t.equal(good.run("\n# another text"), 0);
    t.equal(good.read("log"), `${root}\n${a}\n`, "no other is made");
    const bad = runScript(t, script, "return 1");
    t.equal(bad.run(), 1);
    t.equal(bad.read("console"), "");
  },
);

t.test("a password expires once, also where the script has another text later", async (t) => {
  const translation = translateCloud(`chpasswd: {users: [{name: root, password: ${hash}}]}\n`);
  const { run, read } = runScript(t, secretText(translation, "expire-passwords") ?? "", "false");
  run();
  run("\n# another text");
  t.equal(read("log"), "chage -d 0 root\n");
});
