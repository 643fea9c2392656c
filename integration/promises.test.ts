import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { filesBelow } from "./files-below.ts";
import { raspberryPi4 } from "./machines/raspberry-pi-4.ts";
import { writeMachine } from "./machines/write-machine.ts";

const tree = path.join(import.meta.dirname, "..");
const read = (file: string) => readFileSync(path.join(tree, file), "utf8");

function firstlight(args: readonly string[], input = "") {
  return spawnSync(process.execPath, [path.join(tree, "cli/main.ts"), ...args], {
    encoding: "utf8",
    input,
    timeout: 60_000,
  });
}

/** `file`: "name", "name"; `file`: … of one cell. */
function proofs(page: string): readonly (readonly [string, string])[] {
  return [...page.matchAll(/`([^`]+\.test\.ts)`: ((?:"[^"]+"(?:, )?)+)/g)].flatMap(
    ([, file = "", names = ""]) =>
      [...names.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => [file, name] as const),
  );
}

t.test("every test that proves a promise exists", async (t) => {
  const named = proofs(read("docs/promises.md"));
  t.ok(named.length > 20);
  for (const [file, name] of named) t.ok(read(file).includes(name), `${file}: ${name}`);
});

t.test("the cloud-config of the README becomes options without a complaint", async (t) => {
  const [, document = ""] = /```yaml\n(#cloud-config\n[\s\S]*?)```/.exec(read("README.md")) ?? [];
  const result = firstlight(["translate", "-", "--format", "json"], document);
  t.equal(result.status, 0, result.stderr);
  const { findings, coverage } = JSON.parse(result.stdout) as {
    readonly findings: readonly { readonly level: string }[];
    readonly coverage: { readonly unsupported: number };
  };
  t.strictSame(
    findings.filter(({ level }) => level !== "note"),
    [],
  );
  t.equal(coverage.unsupported, 0);
});

t.test("the commands of the README exist and do what is said of them", async (t) => {
  const listed = firstlight(["--help"]).stdout;
  const commands = [...read("README.md").matchAll(/dist\/firstlight\.js (\w+)/g)];
  t.ok(commands.length > 3);
  for (const [, name = ""] of commands) t.match(listed, new RegExp(`^ {2}${name} `, "m"));
});

t.test("the machine in a directory of the README boots as it says", async (t) => {
  const [, script = ""] = /```\n(mkdir -p machine[\s\S]*?)```/.exec(read("README.md")) ?? [];
  const program = `${process.execPath} ${path.join(tree, "cli/main.ts")}`;
  const commands = script.replaceAll("node_modules/.bin/node dist/firstlight.js", program);
  const { stdout, stderr } = spawnSync(
    "sh",
    ["-c", commands.replace(/^(.* boot .*)$/m, "$1; echo exit $?")],
    {
      cwd: t.testdir(),
      encoding: "utf8",
      timeout: 100_000,
    },
  );
  t.match(
    stdout,
    /^committed \(degraded\): generation 1 .*\nexit 2\n +1 .*\[runs, boot default\]\n$/,
  );
  t.match(stderr, /base\/no-root/);
});

const canary = "canary-5ecret";
const secretive = `#cloud-config
ssh_pwauth: true
users:
  - name: alice
    lock_passwd: false
    hashed_passwd: "$6$salt$${canary}"
write_files:
  - { path: /root/token, permissions: "0600", content: ${canary} }
runcmd:
  - echo ${canary}
bootcmd:
  - [echo, ${canary}]
firstlight:
  report: { mqtt: { host: 192.0.2.1, username: u, password: ${canary} } }
  health: { passes: 1, interval: 1ms, timeout: 5s }
`;

t.test(
  "no secret is in what goes to the store, in a log, or in a file that others may read",
  async (t) => {
    const root = path.join(t.testdir(), "root");
    mkdirSync(root);
    writeMachine(root, raspberryPi4);
    const seed = path.join(root, "var/lib/cloud/seed/nocloud");
    mkdirSync(seed, { recursive: true });
    const userData = path.join(seed, "user-data");
    writeFileSync(path.join(seed, "meta-data"), `instance-id: i-1\nadmin-password: ${canary}\n`);
    writeFileSync(userData, secretive);
    const talk: string[] = [];
    for (const args of [["boot", "--verbose"], ["plan"], ["discover"], ["history"]]) {
      const result = firstlight([
        ...args,
        "--root",
        root,
        ...(args[0] === "discover" ? [] : ["--driver", "dry"]),
      ]);
      t.equal(result.status, 0, result.stderr);
      talk.push(result.stdout, result.stderr);
    }
    t.notMatch(talk.join("\n"), canary);
    t.match(talk.join("\n"), /credentials\.stored .*root-only files/, "and how they lie is said");
    const holding = filesBelow(root).filter(
      (file) => !file.startsWith(seed) && readFileSync(file).includes(canary),
    );
    const credentials = path.join(root, "var/lib/firstlight/credentials");
    t.ok(holding.length > 0);
    for (const file of holding) {
      t.ok(file.startsWith(credentials), file);
      t.equal(statSync(file).mode & 0o077, 0, file);
    }
    t.equal(statSync(credentials).mode & 0o077, 0);
  },
);
