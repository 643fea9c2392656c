import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import t, { type Test } from "tap";
import { writeTree } from "#agent/datasources/images/make-images.ts";
import { brokerMissing, startBroker } from "./brokers.ts";
import { canary, findCanaries } from "./canaries.ts";
import { qemuQ35 } from "./machines/qemu-q35.ts";
import { writeMachine } from "./machines/write-machine.ts";

t.setTimeout(240_000);

const checkout = path.dirname(import.meta.dirname);
const program = [process.execPath, path.join(checkout, "cli/main.ts")] as const;
const skip = brokerMissing("aedes");

/** A machine whose user-data has secrets, and a broker that wants one. */
async function machine(t: Test): Promise<{ readonly root: string; readonly reports: string }> {
  const { host, port } = await startBroker(t, "aedes", { users: { edge: canary("broker") } });
  const home = t.testdir({ root: {}, reports: {} });
  const root = path.join(home, "root");
  writeMachine(root, qemuQ35);
  writeTree(path.join(root, "etc/firstlight"), { "settings.json": '{"stateVersion":"25.11"}' });
  writeTree(path.join(root, "var/lib/cloud/seed/nocloud"), {
    "meta-data": "instance-id: i-1\n",
    "user-data": `#cloud-config
write_files: [{ path: /root/field, permissions: "0600", content: "${canary("field")}" }]
firstlight:
  health: { passes: 1, interval: 1ms, timeout: 1s }
  secrets: { named: "${canary("named")}" }
  files: [{ path: /root/named, secret: { secretRef: named } }]
  report: { node: edge-1, mqtt: { host: ${host}, port: ${port}, username: edge, password: "${canary("broker")}" } }
`,
  });
  return { root, reports: path.join(home, "reports") };
}

function boot(root: string, env: Readonly<Record<string, string>> = {}): void {
  const args = [...program.slice(1), "boot", "--root", root, "--driver", "dry"];
  const done = spawnSync(program[0], args, { encoding: "utf8", env: { ...process.env, ...env } });
  t.match(done, { status: 0, stdout: /^committed: / }, done.stderr);
}

/** The daemon, once it has told the broker its password. */
async function startAgent(
  t: Test,
  root: string,
  [file, ...args]: readonly [string, ...string[]],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<ChildProcess> {
  const env = { ...process.env, ...options.env };
  const agent = spawn(file, [...args, "agent", "--root", root, "-v"], { ...options, env });
  t.teardown(() => void agent.kill("SIGKILL"));
  let said = "";
  for await (const chunk of agent.stderr) {
    said += chunk;
    if (/link\.connected/.test(said)) return agent;
  }
  throw new Error(`the agent ended: ${said}`);
}

t.test("no report that a process gives of itself holds a secret", { skip }, async (t) => {
  const { root, reports } = await machine(t);
  const reporter = pathToFileURL(path.join(import.meta.dirname, "write-report.ts")).href;
  boot(root, { NODE_OPTIONS: `--import=${reporter}`, WRITE_REPORTS: reports });
  const stored = findCanaries(root).filter(({ file }) => file.includes("/credentials/"));
  t.same(
    stored.flatMap(({ canaries }) => canaries).sort(),
    ["broker", "field", "named"],
    "the secrets went through",
  );
  t.ok(readdirSync(reports).length > 1, "reports of the boot, on its way and at its end");
  t.same(findCanaries(reports), []);

  const asked = `--report-on-signal --report-signal=SIGUSR2 --report-directory=${reports}`;
  const before = readdirSync(reports).length;
  const agent = await startAgent(t, root, program, { cwd: reports, env: { NODE_OPTIONS: asked } });
  agent.kill("SIGUSR2");
  while (readdirSync(reports).length === before && agent.exitCode === null) await sleep(50);
  const [file = ""] = readdirSync(reports)
    .filter((name) => name.startsWith("report."))
    .sort();
  let report = { header: { event: "" } };
  for (let tries = 0; report.header.event === "" && tries < 100; tries++) {
    await sleep(50);
    try {
      report = JSON.parse(readFileSync(path.join(reports, file), "utf8"));
    } catch {} // half of it
  }
  t.equal(report.header.event, "SIGUSR2");
  t.same(findCanaries(reports), [], "nor one that is asked for by a signal");
  agent.kill("SIGTERM");
  await once(agent, "exit");
});

/** What the units ship with. */
function shipped(name: string): string {
  const module = readFileSync(path.join(checkout, "nixos/module.nix"), "utf8");
  return new RegExp(`^ +${name} = "?([^";]+)"?;$`, "m").exec(module)?.[1] ?? "";
}

/** How the kernel names a core that it writes by itself, beside the process that it is of. */
const pattern = existsSync("/proc/sys/kernel/core_pattern")
  ? readFileSync("/proc/sys/kernel/core_pattern", "utf8").trim()
  : "";
const noCores = !/^core[^/]*$/.test(pattern) && "the kernel hands cores to a program here";

t.test(
  "what ships with the units keeps the memory of a process that is killed from the disk",
  { skip: skip || noCores },
  async (t) => {
    const { root } = await machine(t);
    boot(root);
    const cores = path.join(root, "../cores");
    /** Whether a core was left, and whether the password of the broker is in it. */
    const killed = async (limit: string, filter: string) => {
      rmSync(cores, { recursive: true, force: true });
      mkdirSync(cores);
      const limited = `ulimit -c ${limit} && echo ${filter} > /proc/self/coredump_filter && exec "$@"`;
      const argv = ["sh", "-c", limited, "sh", ...program] as const;
      const agent = await startAgent(t, root, argv, { cwd: cores });
      agent.kill("SIGABRT");
      await once(agent, "exit");
      const [core] = readdirSync(cores);
      if (core === undefined) return "no core";
      const found = spawnSync("grep", ["-qaF", canary("broker"), path.join(cores, core)]);
      return found.status === 0 ? "a core with the password" : "a core without the password";
    };
    const control = await killed("unlimited", "0x33");
    if (control === "no core") return t.pass("SKIPPED: no cores are written here");
    t.equal(control, "a core with the password", "what this is about");
    t.equal(await killed(shipped("LimitCORE"), "0x33"), "no core");
    t.equal(await killed("unlimited", shipped("CoredumpFilter")), "a core without the password");
    t.same(findCanaries(cores), []);
  },
);
