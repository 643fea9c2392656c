import { writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { hostIo } from "#core/host-io.ts";
import { isGone, wasStarted, writeTool } from "./fake-hanging-tool.ts";
import { readWitness } from "./witness.ts";
import { toolsOf, usualCalls, type WitnessCall } from "./witness-calls.ts";
import { witnessArguments, witnessTask } from "./witness-task.ts";

const memory = { totalBytes: 8, availableBytes: 4, swapTotalBytes: 0, swapUsedBytes: 0 };
const argv = ["/firstlight", "witness"];
const line = (value: unknown) => `${JSON.stringify(value)}\n`;
const all = usualCalls;

t.test("readings that fit are kept; every other is a failure with its reason", async (t) => {
  const stdout = [
    line({ call: "memory", value: memory }),
    line({ call: "memory", value: { ...memory, totalBytes: 9 } }),
    line({ call: "load", value: { percent: "much" } }),
    line({ call: "temperature", error: "no sensor" }),
    line({ call: "disks", value: [] }),
    line({ call: "secrets", value: 1 }),
    "not json\n",
    "null\n",
  ].join("");
  const witness = await readWitness(
    fakeIo(t.testdir({}), { firstlight: () => ({ stdout, code: 1 }) }),
    { argv },
  );
  t.same(witness.readings, { memory });
  const why = Object.fromEntries(witness.failures.map((failure) => [failure.call, failure.why]));
  t.same(why, {
    load: "malformed",
    temperature: "failed",
    disks: "tool-missing",
    fileSystems: "failed",
    battery: "failed",
    graphics: "failed",
  });
  t.match(
    witness.failures.find(({ call }) => call === "disks")?.message,
    /without lsblk on the PATH/,
  );
});

t.test("an empty list counts as none only where its tool is there", async (t) => {
  const root = t.testdir({ bin: { lsblk: "" } });
  const io = {
    ...fakeIo(root, { firstlight: () => ({ stdout: line({ call: "disks", value: [] }) }) }),
    env: { PATH: "/bin:relative" },
  };
  const witness = await readWitness(io, { argv });
  t.same(witness.readings, { disks: [] });
  t.same(witness.missingTools, ["df", "dmidecode", "lspci", "smartctl", "xdpyinfo"]);
});

t.test(
  "a witness that cannot be started, or dies, or talks without end, is no crash",
  async (t) => {
    const absent = await readWitness(fakeIo(t.testdir({})), { argv });
    t.same(
      absent.failures.map(({ call, why }) => [call, why]),
      all.map((call) => [call, "failed"]),
    );
    t.match(absent.failures[0]?.message, /no such program/);
    const killed = await readWitness(
      fakeIo(t.testdir({}), { firstlight: () => ({ code: null, signal: "SIGSEGV" }) }),
      { argv },
    );
    t.match(killed.failures[0]?.message, /SIGSEGV/);
    const noisy = await readWitness(
      fakeIo(t.testdir({}), { firstlight: () => ({ stdout: "x".repeat(1024 * 1024) }) }),
      { argv },
    );
    t.equal(noisy.failures.length, all.length);
    const slow = await readWitness(
      fakeIo(t.testdir({}), {
        firstlight: () => ({ timedOut: true, code: null, signal: "SIGTERM" }),
      }),
      { argv, timeoutMs: 7 },
    );
    t.match(slow.failures[0], { why: "timed-out", message: "no answer within 7 ms" });
  },
);

t.test("a child is told its readings and how long graphics waits", async (t) => {
  const task = { calls: ["memory", "graphics"] as const, headStartMs: 510 };
  t.same(witnessTask(witnessArguments(task)), task);
  t.same(witnessTask(["-1", "memory", "secrets", "memory"]), { calls: ["memory"], headStartMs: 0 });
  t.same(witnessTask([]), { calls: [], headStartMs: 0 });
  const io = fakeIo(t.testdir({}), { firstlight: () => ({}) });
  const witness = await readWitness(io, { argv, calls: ["board"], timeoutMs: 1000, graceMs: 20 });
  t.match(io.executed, [{ args: ["witness", "300", "board"], timeoutMs: 1000, graceMs: 20 }]);
  t.same(
    witness.failures.map(({ call }) => call),
    ["board"],
    "what was not asked for is not missed",
  );
  t.same(
    Object.keys(toolsOf).filter((call) => !usualCalls.includes(call as WitnessCall)),
    ["board", "processor", "power"],
    "what a node tells again and again has not grown",
  );
});

/** The child as a program of its own, as the bundle runs it. */
function childProgram(directory: string): readonly string[] {
  const entry = path.join(directory, "entry.mjs");
  const url = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);
  writeFileSync(
    entry,
    `import { runWitnessChild } from ${url("witness-child.ts")};
import { witnessTask } from ${url("witness-task.ts")};
await runWitnessChild(witnessTask(process.argv.slice(2)), (line) => process.stdout.write(line));
`,
  );
  return [process.execPath, entry];
}

t.test("the real child reads this machine", { timeout: 120_000 }, async (t) => {
  const witness = await readWitness(hostIo(), {
    argv: childProgram(t.testdir({})),
    calls: Object.keys(toolsOf) as WitnessCall[],
    timeoutMs: 60_000,
  });
  t.ok((witness.readings.memory?.totalBytes ?? 0) > 0, "memory", { witness });
  t.ok(witness.readings.battery, "battery");
  t.ok(witness.readings.board, "board");
  t.ok((witness.readings.processor?.threads ?? 1) > 0, "processor");
  for (const { why } of witness.failures)
    t.equal(why, "tool-missing", "only a missing tool fails here");
});

t.test(
  "tools that hang cost their reading, not the others, and leave nothing running",
  { timeout: 120_000 },
  async (t) => {
    const directory = t.testdir({});
    for (const tool of ["lspci", "dmidecode"]) writeTool(directory, tool, "exec sleep 60");
    const io = hostIo({ env: { ...process.env, PATH: `${directory}/bin:${process.env["PATH"]}` } });
    let turns = 0;
    const heart = setInterval(() => {
      turns += 1;
    }, 20);
    const witness = await readWitness(io, { argv: childProgram(directory), timeoutMs: 6_000 });
    clearInterval(heart);
    t.match(
      witness.failures.find(({ call }) => call === "graphics"),
      { why: "timed-out" },
    );
    t.ok(witness.readings.memory, "what does not need them is read");
    t.ok(turns > 50, "this process went on meanwhile", { turns });
    for (const tool of ["lspci", "dmidecode"])
      if (wasStarted(directory, tool)) t.ok(await isGone(directory, tool), `${tool} is gone`);
    t.ok(wasStarted(directory, "lspci"), "lspci was really started");
  },
);
