import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { hostFiles } from "#core/host-files.ts";
import type { Files, Io } from "#core/io.ts";
import type { BuildActivity } from "#provisioner/system/build-activity.ts";
import { type BuildPolicy, defaultBuildPolicy } from "#provisioner/system/build-policy.ts";
import { type SystemClient, systemClient } from "#provisioner/system/client.ts";
import { type DriverOptions, openDriver } from "#provisioner/system/driver.ts";
import type { SystemEvent } from "#provisioner/system/system.ts";
import { builderOption, buildReason, smallSources } from "./build-sources.ts";
import { memoryGroup, skipWithoutMemoryGroup } from "./memory-group.ts";
import { type NixMachine, nixMachine, nixModes, skipWithoutNix } from "./nix-machine.ts";
import { withSpace } from "./with-space.ts";

t.setTimeout(300_000);
const skip = skipWithoutNix();

interface Options extends Partial<DriverOptions> {
  readonly io?: Io;
  readonly signal?: AbortSignal;
  readonly onLog?: (line: string) => void;
}

/** firstlight on the machine, and what goes on there. */
function start(machine: NixMachine, { io, signal, onLog, ...options }: Options = {}) {
  const events: SystemEvent[] = [];
  const { storeFiles } = machine;
  const system = openDriver(io ?? machine.io(), { driver: "nix", storeFiles, ...options });
  const c: SystemClient = systemClient(system, {
    ...(signal === undefined ? {} : { signal }),
    onEvent(event) {
      events.push(event);
      if (event.type === "build-log") onLog?.(event.line);
    },
  });
  const activities = () =>
    events.flatMap((event): BuildActivity[] => (event.type === "build" ? [event.activity] : []));
  return {
    c,
    events,
    activities,
    build: (name: string, script?: string) => build(c, name, script),
  };
}

function build(c: SystemClient, name: string, script?: string) {
  return c.build(
    smallSources(name, script === undefined ? "" : builderOption(script)),
    buildReason,
  );
}

function roots(machine: NixMachine): readonly string[] {
  const directory = path.join(machine.root, "nix/var/nix/gcroots/firstlight");
  return existsSync(directory) ? readdirSync(directory) : [];
}

const nameOf = (file: string) => file.replace(/^.*\/[0-9a-z]{32}-/, "").replace(/\.drv$/, "");

t.test(
  "what is built is known before, followed, and explained when it fails",
  { skip },
  async (t) => {
    const machine = await nixMachine(t);
    const { build, activities } = start(machine);
    const script = "echo '\\033[31mthe disk is made of cheese\\033[0m' >&2; exit 7";
    await t.rejects(build("broken", script), {
      code: "system/build-failed",
      message: /-x\.drv: exit code 7; last lines:\nthe disk is made of cheese$/,
    });
    const planned = activities().find((activity) => activity.kind === "planned");
    const edges = new Map(
      planned?.builds.map(({ derivation, neededBy }) => [
        nameOf(derivation),
        neededBy === null ? null : nameOf(neededBy),
      ]),
    );
    const system = [...edges].find(([, neededBy]) => neededBy === null)?.[0];
    t.match(system, /^nixos-system-edge/);
    t.equal(edges.get("etc"), system);
    t.equal(edges.get("x"), "etc", "a tree below the system");
    const about = activities().filter(
      (activity) => "path" in activity && nameOf(activity.path) === "x",
    );
    t.match(about, [
      { kind: "started", what: "build" },
      { kind: "ended", end: "failed", how: "exit code 7" },
    ]);
    t.match(
      activities().findLast(({ kind }) => kind === "totals"),
      {
        totals: { builds: { failed: 1 } },
      },
    );
    t.strictSame(roots(machine), []);
  },
);

for (const mode of nixModes()) {
  t.test(
    `a build that hangs is called off, and leaves nothing, store by ${mode}`,
    { skip },
    async (t) => {
      const machine = await nixMachine(t, { mode });
      // A number that no other process of this host has among its arguments.
      const mark = `86400.${process.pid}${mode.length}`;
      const stop = new AbortController();
      const { build } = start(machine, {
        signal: stop.signal,
        onLog: (line) => {
          if (line === "hanging") stop.abort();
        },
      });
      const script = `trap '' INT TERM; (trap '' INT TERM; /bin/sleep ${mark}) & echo hanging; /bin/sleep ${mark}; /bin/sleep ${mark}`;
      await t.rejects(build("hangs", script), { code: "system/canceled" });
      await ended(mark);
      t.strictSame(roots(machine), []);
      t.ok(await start(machine).build("good"), "and it is in nobody's way");
    },
  );
}

t.test("a build that hangs ends at its deadline, with all that it began", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const mark = `86400.${process.pid}99`;
  const { build } = start(machine, { buildTimeoutMs: 4_000 });
  await t.rejects(build("slow", `/bin/sleep ${mark}`), { code: "system/timeout" });
  await ended(mark);
});

t.test("a garbage collection in the middle of a build takes nothing of it", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const go = path.join(machine.root, "go");
  let collected: Promise<unknown> | undefined;
  const { build, c } = start(machine, {
    onLog: (line) => {
      if (line !== "waiting") return;
      collected = machine.run(["nix-collect-garbage"]).then(() => writeFileSync(go, ""));
    },
  });
  const script = `echo waiting; while ! [ -e ${go} ]; do /bin/sleep 0.1; done; echo done > $out`;
  const closure = await build("collected", script);
  await collected;
  await machine.run(["nix-collect-garbage"]);
  t.match(await c.try(await c.plan(closure)), { activation: "switched" });
});

t.test("what a cache has is fetched, and told with its bytes", { skip }, async (t) => {
  const giver = await nixMachine(t);
  const cache = path.join(giver.root, "cache");
  const { toplevel } = await start(giver).build(
    "shared",
    "/bin/dd if=/dev/zero of=$out bs=1M count=3",
  );
  const copied = await giver.run(["nix", "copy", "--to", `file://${cache}`, toplevel]);
  t.equal(copied.code, 0, copied.stderr);

  const taker = await nixMachine(t, { nixConfig: ["require-sigs = false"] });
  const substituters = [`file://${cache}`];
  const { build, activities } = start(taker, { substituters });
  const script = "/bin/dd if=/dev/zero of=$out bs=1M count=3";
  t.equal((await build("shared", script)).toplevel, toplevel);
  const fetched = activities().flatMap((activity) =>
    activity.kind === "started" && activity.what === "fetch" ? [nameOf(activity.path)] : [],
  );
  t.ok(fetched.includes("x"), fetched.join(" "));
  t.match(
    activities().findLast(({ kind }) => kind === "totals"),
    {
      totals: { fetches: { done: fetched.length, failed: 0 } },
    },
  );

  const poor = await nixMachine(t, { nixConfig: ["require-sigs = false"] });
  const files = withSpace(poor.io().files, "/nix/store", 258 * 1024 ** 2);
  const io = { ...poor.io(), files };
  const refused = start(poor, { io, storeFiles: io.files, substituters });
  await t.rejects(refused.build("shared", script), {
    code: "system/not-enough-space",
    message: /\/nix\/store: 3\.0 MiB and [0-9]+ files are needed and 256\.0 MiB/,
  });
});

t.test("memory that a process is refused is named, in a build and in Nix", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const hungry = "ulimit -v 100000; /usr/bin/head -c 300M /dev/zero | /usr/bin/tail; exit 1";
  const refused = { code: "system/out-of-memory", message: /refused more memory/ };
  await t.rejects(start(machine).build("hungry", hungry), refused);

  const io = machine.io();
  const limited: Io = {
    ...io,
    exec: (request) => {
      if (request.file !== "nix-instantiate") return io.exec(request);
      const args = ["-c", 'ulimit -v 900000; exec "$0" "$@"', request.file, ...request.args];
      return io.exec({ ...request, file: "sh", args });
    },
  };
  const list = "builtins.genList (x: x) 300000000";
  const sources = smallSources(
    "large",
    `networking.domain = toString (builtins.length (${list}));`,
  );
  await t.rejects(start(machine, { io: limited }).c.build(sources, buildReason), refused);
  t.strictSame(roots(machine), []);
});

const skipGroup = skip || skipWithoutMemoryGroup();

t.test(
  "what the kernel's killer ended is named, with the numbers",
  { skip: skipGroup },
  async (t) => {
    const machine = await nixMachine(t);
    const group = memoryGroup(path.join(machine.root, "tools"));
    t.teardown(group.close);
    mkdirSync(path.join(machine.root, "run/systemd/system"), { recursive: true });
    const policy: BuildPolicy = {
      ...defaultBuildPolicy,
      limits: { ...defaultBuildPolicy.limits, memoryMax: "200M" },
      evaluationMemory: { leastBytes: 0, wantedBytes: 0 },
    };
    const io = withKernel(machine.io());
    const limited: Io = {
      ...io,
      exec: (request) =>
        io.exec({
          ...request,
          env: { ...request.env, PATH: `${group.programs}:${machine.env["PATH"]}` },
        }),
    };
    const { build } = start(machine, { io: limited, policy });
    await t.rejects(
      build("hungry", "/usr/bin/head -c 900M /dev/zero | /usr/bin/tail > $out; exit 137"),
      {
        code: "system/out-of-memory",
        message:
          /killed for want of memory; the kernel killed [0-9]+ process.*limit 200M, .* memory available/,
      },
    );
    t.ok(await build("modest"), "what needs less is built within the same limit");
  },
);

const canMount = process.env["CI"] === "true" || nixModes().includes("namespace");
const skipMount = skip || (canMount ? false : "SKIPPED: needs root to mount a disk");

t.test("a disk that is full is named, and leaves no root", { skip: skipMount }, async (t) => {
  const child = path.join(import.meta.dirname, "full-disk-child.ts");
  const ended = spawnSync("unshare", ["--mount", process.execPath, child], { encoding: "utf8" });
  t.equal(ended.status, 0, ended.stderr);
  t.match(JSON.parse(ended.stdout), {
    tooLarge: {
      code: "system/disk-full",
      message: /free: \/nix\/store [0-9.]+ [KM]?i?B of 24\.0 MiB and [0-9]+ files, /,
    },
    rootsAfterIt: [],
    collected: 0,
    small: { toplevel: /^\/nix\/store\// },
    early: { code: "system/not-enough-space", message: /256\.0 MiB .* of 24\.0 MiB/ },
  });
});

/** The machine with the kernel's own figures of this host. */
function withKernel(io: Io): Io {
  const host = hostFiles("/", () => {});
  const readText: Files["readText"] = (file, options) =>
    (file.startsWith("/proc/") ? host : io.files).readText(file, options);
  return { ...io, files: { ...io.files, readText } };
}

/** Waits until no process of this host has the mark among its arguments; the test's own time is the deadline. */
async function ended(mark: string): Promise<void> {
  const { setImmediate } = await import("node:timers/promises");
  while (processesWith(mark).length > 0) await setImmediate();
}

function processesWith(mark: string): readonly string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^[0-9]+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").includes(mark);
    } catch {
      return false; // it has ended meanwhile
    }
  });
}
