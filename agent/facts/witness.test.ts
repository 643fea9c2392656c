import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { hostIo } from "#core/host-io.ts";
import { readWitness } from "./witness.ts";
import { toolsOf } from "./witness-calls.ts";

const memory = { totalBytes: 8, availableBytes: 4, swapTotalBytes: 0, swapUsedBytes: 0 };
const argv = ["/firstlight", "witness"];
const line = (value: unknown) => `${JSON.stringify(value)}\n`;
const all = Object.keys(toolsOf);

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

/** The child as a program of its own, as the bundle runs it. */
function childProgram(directory: string): readonly string[] {
  const entry = path.join(directory, "entry.mjs");
  const child = new URL("witness-child.ts", import.meta.url).href;
  writeFileSync(
    entry,
    `import { runWitnessChild } from ${JSON.stringify(child)};\nawait runWitnessChild((line) => process.stdout.write(line));\n`,
  );
  return [process.execPath, entry];
}

t.test("the real child reads this machine", { timeout: 120_000 }, async (t) => {
  const witness = await readWitness(hostIo(), {
    argv: childProgram(t.testdir({})),
    timeoutMs: 60_000,
  });
  t.ok((witness.readings.memory?.totalBytes ?? 0) > 0, "memory", { witness });
  t.ok(witness.readings.battery, "battery");
  for (const { why } of witness.failures)
    t.equal(why, "tool-missing", "only a missing tool fails here");
});

t.test(
  "tools that hang cost their reading, not the others, and leave nothing running",
  { timeout: 120_000 },
  async (t) => {
    const directory = t.testdir({ bin: {}, pids: {} });
    const bin = path.join(directory, "bin");
    mkdirSync(bin, { recursive: true });
    for (const tool of ["lspci", "dmidecode"]) {
      const script = `#!/bin/sh\necho $$ > ${directory}/pids/${tool}\nexec sleep 60\n`;
      writeFileSync(path.join(bin, tool), script);
      chmodSync(path.join(bin, tool), 0o755);
    }
    const io = hostIo({ env: { ...process.env, PATH: `${bin}:${process.env["PATH"]}` } });
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
    for (const tool of ["lspci", "dmidecode"]) {
      const file = path.join(directory, "pids", tool);
      if (existsSync(file))
        t.ok(await isGone(Number(readFileSync(file, "utf8"))), `${tool} is gone`);
    }
    t.ok(existsSync(path.join(directory, "pids", "lspci")), "lspci was really started");
  },
);

/** Waits until a process has ended; one that nobody has collected yet has ended too. */
async function isGone(pid: number): Promise<boolean> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : "";
    if (stat === "" || /\) Z /.test(stat)) return true;
    await delay(50);
  }
  return false;
}
