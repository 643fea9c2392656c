import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import t from "tap";
import { runProcess } from "./run-process.ts";

const env = { PATH: process.env["PATH"] };
const sh = (script: string) => ({ file: "sh", args: ["-c", script], timeoutMs: 20_000 });

t.test("a process gives its code and output, whatever they are", async (t) => {
  const result = await runProcess(sh("echo out; echo err >&2; exit 7"), env);
  t.match(result, {
    code: 7,
    signal: null,
    stdout: "out\n",
    stderr: "err\n",
    timedOut: false,
    aborted: false,
  });
});

t.test("input is given, and a process that does not read it is no error", async (t) => {
  t.equal((await runProcess({ ...sh("cat"), stdin: "text" }, env)).stdout, "text");
  t.equal((await runProcess({ ...sh("exit 0"), stdin: "x".repeat(1_000_000) }, env)).code, 0);
});

t.test("a program that is not there is a fault that names it", async (t) => {
  await t.rejects(runProcess({ file: "no-such-program", args: [], timeoutMs: 1000 }, env), {
    code: "exec/not-found",
    message: /no-such-program/,
  });
});

t.test("the deadline ends the process and its children", async (t) => {
  const mark = path.join(t.testdir(), "survived");
  const script = `trap '' TERM; (trap '' TERM; sleep 60; touch ${mark}) & sleep 60`;
  const result = await runProcess({ ...sh(script), timeoutMs: 50, graceMs: 50 }, env);
  t.match(result, { code: null, signal: "SIGKILL", timedOut: true });
  t.equal(existsSync(mark), false);
});

t.test("a grandchild that left the group does not hold the call", async (t) => {
  const result = await runProcess(
    { ...sh("setsid sleep 20 & echo started"), timeoutMs: 300, graceMs: 100 },
    env,
  );
  t.equal(result.timedOut, true);
  t.equal(result.stdout, "started\n");
});

t.test("what left the group is killed with the process that made it", async (t) => {
  const script = "trap '' INT; setsid sh -c 'trap \"\" INT TERM; echo $$; sleep 60 & wait' & wait";
  const pids: number[] = [];
  const stop = new AbortController();
  const result = await runProcess(
    {
      ...sh(script),
      graceMs: 50,
      stopSignal: "SIGINT",
      signal: stop.signal,
      onStdoutLine(line) {
        pids.push(Number(line));
        stop.abort();
      },
    },
    env,
  );
  t.match(result, { code: null, aborted: true });
  t.equal(pids.length, 1);
  // The kernel takes a moment to end what was killed; a sleep of its own would take a minute.
  while (isRunning(pids[0] ?? 0)) await setImmediate();
});

t.test("a line without end is cut, and the next one comes whole", async (t) => {
  const lines: string[] = [];
  await runProcess(
    {
      ...sh("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo next"),
      onStdoutLine: (line) => void lines.push(line),
    },
    env,
  );
  t.equal(lines[0]?.length, 1024 * 1024);
  t.strictSame(lines.slice(1), ["next"]);
});

t.test("an abort ends it, also one that came before", async (t) => {
  const result = await runProcess(
    { ...sh("sleep 60"), graceMs: 50, signal: AbortSignal.abort() },
    env,
  );
  t.match(result, { aborted: true, code: null });
});

t.test("only the end of a long output is kept", async (t) => {
  const result = await runProcess({ ...sh("seq 1 20000"), maxOutputBytes: 1000 }, env);
  t.equal(result.stdout.length, 1000);
  t.match(result.stdout, /\n20000\n$/);
});

t.test("lines come whole, whatever the pieces are", async (t) => {
  const lines: string[] = [];
  await runProcess(
    {
      ...sh("printf 'a\\nb'; sleep 0.05; printf 'c\\nlast'"),
      onStdoutLine: (line) => void lines.push(line),
    },
    env,
  );
  t.strictSame(lines, ["a", "bc", "last"]);
});

t.test("the environment is what was given, with what is undefined left out", async (t) => {
  const result = await runProcess(
    { ...sh('echo "$ONE-$TWO"'), env: { ONE: "1", TWO: undefined } },
    { ...env, TWO: "2" },
  );
  t.equal(result.stdout, "1-\n");
});

t.test("a deadline beyond what a timer can hold is not one that has passed", async (t) => {
  const result = await runProcess({ ...sh("sleep 0.05"), timeoutMs: 40 * 86_400_000 }, env);
  t.match(result, { code: 0, timedOut: false });
});

/** Whether a process is there, and more than a remainder that nobody has waited for yet. */
function isRunning(pid: number): boolean {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) && !readFileSync(file, "utf8").includes(") Z ");
}
