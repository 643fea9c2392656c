import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import t, { type Test } from "tap";

const script = join(import.meta.dirname, "ensure-installed.mjs");
const isRoot = process.getuid?.() === 0;
const isDebian =
  existsSync("/etc/os-release") && /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(read("/etc/os-release"));

interface Fakes {
  /** Shell text of programs that stand first on the PATH; `$LOG` is the tree's log file. */
  readonly programs: Readonly<Record<string, string>>;
  readonly path?: readonly string[];
  readonly ci?: boolean;
}

/** A tree with only the script and a lock file, as after a clone. */
function freshClone(t: Test): string {
  const tree = t.testdir({ tools: {}, bin: {}, "package-lock.json": "{}\n" });
  cpSync(script, join(tree, "tools/ensure-installed.mjs"));
  return tree;
}

function ensureInstalled(tree: string, args: readonly string[], fakes: Fakes) {
  for (const [name, text] of Object.entries(fakes.programs)) {
    writeFileSync(join(tree, "bin", name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(tree, "bin", name), 0o755);
  }
  const run = spawnSync(process.execPath, ["tools/ensure-installed.mjs", ...args], {
    cwd: tree,
    encoding: "utf8",
    env: {
      PATH: [join(tree, "bin"), ...(fakes.path ?? ["/usr/bin", "/bin"])].join(delimiter),
      LOG: join(tree, "log"),
      ...(fakes.ci === true ? { CI: "true" } : {}),
    },
  });
  return { ...run, log: existsSync(join(tree, "log")) ? read(join(tree, "log")) : "" };
}

function read(path: string): string {
  return readFileSync(path, "utf8");
}

const npm = `echo "npm $*" >>"$LOG"; mkdir -p node_modules`;

t.test("dependencies are installed when they are absent or the lock file changed", (t) => {
  const tree = freshClone(t);
  const runs = () => ensureInstalled(tree, [], { programs: { npm } });
  t.equal(runs().log, "npm ci --loglevel=error\n", "first time");
  t.equal(runs().log, "npm ci --loglevel=error\n", "nothing to do the second time");
  writeFileSync(join(tree, "package-lock.json"), '{ "changed": true }\n');
  const third = runs();
  t.equal(third.log, "npm ci --loglevel=error\n".repeat(2), "again after a change");
  t.equal(third.stdout, "", "stdout belongs to the script that follows");
  t.end();
});

t.test("a failed installation ends the script and is tried again the next time", (t) => {
  const tree = freshClone(t);
  const failing = { programs: { npm: `${npm}; exit 7` } };
  t.equal(ensureInstalled(tree, [], failing).status, 7);
  const again = ensureInstalled(tree, [], failing);
  t.equal(again.log.split("\n").length - 1, 2);
  t.match(again.stderr, "npm ci --loglevel=error failed");
  t.end();
});

t.test("npm does not run on the Node that it is about to replace", (t) => {
  const tree = freshClone(t);
  const fakes = {
    programs: { npm: `${npm}; echo "$PATH" >>"$LOG"` },
    path: [join(tree, "node_modules/.bin"), "/usr/bin", "/bin"],
  };
  t.notMatch(ensureInstalled(tree, [], fakes).log, "node_modules/.bin");
  t.end();
});

t.test("a missing test tool is said loudly, and is an error under CI=true", (t) => {
  const tree = freshClone(t);
  // Without the system's programs nearly every tool is missing, apt among them.
  const fakes: Fakes = {
    programs: { npm: `/bin/mkdir -p node_modules`, python3: "exit 0" },
    path: [],
  };
  const loud = ensureInstalled(tree, ["--test-tools"], fakes);
  t.equal(loud.status, 0);
  t.match(loud.stderr, /missing: nix-bin .*xorriso[\s\S]*WILL BE SKIPPED/);
  const strict = ensureInstalled(tree, ["--test-tools"], { ...fakes, ci: true });
  t.equal(strict.status, 1);
  t.match(strict.stderr, "CI=true");
  t.notMatch(loud.stderr, /qemu/);
  t.match(ensureInstalled(tree, ["--vm-tools"], fakes).stderr, /missing: nix-bin .*qemu-utils/);
  t.end();
});

const aptSkip = isRoot && isDebian ? false : "needs root on Debian: apt is used only there";
t.test("root on Debian gets what is missing by apt, with fresh lists", { skip: aptSkip }, (t) => {
  const tree = freshClone(t);
  const aptGet = `echo "apt-get $*" >>"$LOG"; exit 100`;
  const programs = { npm: `/bin/mkdir -p node_modules`, "apt-get": aptGet, python3: "exit 1" };
  const run = ensureInstalled(tree, ["--test-tools"], { programs, path: [], ci: true });
  const verbs = run.log.split("\n").map((line) => line.split(" ")[1]);
  t.same(verbs.slice(0, 3), ["install", "update", "install"], "lists are fetched when needed");
  t.match(run.log, /DPkg::Lock::Timeout=300 --no-install-recommends .*nix-bin .*python3-yaml/);
  t.equal(run.status, 1, "and what apt could not bring is an error");
  t.end();
});
