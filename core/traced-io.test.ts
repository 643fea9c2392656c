import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeIo } from "./fake-io.ts";
import type { Io } from "./io.ts";
import { digestAnswers, traceIo } from "./traced-io.ts";

interface Asked {
  readonly name: string;
  readonly ask: (io: Io) => unknown;
  readonly change: (root: string) => void;
}

const write = (file: string, text: string) => (root: string) =>
  writeFileSync(path.join(root, file), text);

const asked: readonly Asked[] = [
  { name: "bytes", ask: ({ files }) => files.read("/file"), change: write("file", "other") },
  { name: "text", ask: ({ files }) => files.readText("/file"), change: write("file", "other") },
  { name: "no file", ask: ({ files }) => files.read("/none"), change: write("none", "") },
  { name: "names", ask: ({ files }) => files.list("/directory"), change: write("directory/b", "") },
  { name: "what it is", ask: ({ files }) => files.stat("/none"), change: write("none", "") },
  { name: "size", ask: ({ files }) => files.stat("/file")?.size, change: write("file", "longer") },
  {
    name: "a link",
    ask: ({ files }) => files.readLink("/link"),
    change: (root) => {
      rmSync(path.join(root, "link"));
      symlinkSync("directory", path.join(root, "link"));
    },
  },
  {
    name: "a real path",
    ask: ({ files }) => files.realPath("/link"),
    change: (root) => rmSync(path.join(root, "file")),
  },
  {
    name: "a fault",
    ask: ({ files }) => {
      try {
        return files.read("/directory");
      } catch {
        return "fault";
      }
    },
    change: (root) => rmSync(path.join(root, "directory"), { recursive: true }),
  },
];

function machine(t: { testdir(): string }) {
  const root = t.testdir();
  writeFileSync(path.join(root, "file"), "text");
  mkdirSync(path.join(root, "directory"));
  symlinkSync("file", path.join(root, "link"));
  return { root, io: fakeIo(root) };
}

for (const { name, ask, change } of asked) {
  t.test(`a question has the same answer until it has another: ${name}`, async (t) => {
    const { root, io } = machine(t);
    const traced = traceIo(io);
    t.strictSame(ask(traced.io), ask(io), "tracing changes no answer");
    const trace = traced.trace();
    t.equal(trace?.questions.length, name === "size" ? 2 : 1);
    t.equal(digestAnswers(io, trace?.questions ?? []), trace?.answers);
    change(root);
    await new Promise(setImmediate);
    t.not(digestAnswers(io, trace?.questions ?? []), trace?.answers);
  });
}

t.test("a variable of the environment is a question too", async (t) => {
  const { io } = machine(t);
  const traced = traceIo({ ...io, env: { NIX_PATH: "nixpkgs=/x" } });
  t.equal(traced.io.env["NIX_PATH"], "nixpkgs=/x");
  const { questions, answers } = traced.trace() ?? { questions: [], answers: "" };
  t.equal(digestAnswers({ ...io, env: { NIX_PATH: "nixpkgs=/x", HOME: "/" } }, questions), answers);
  t.not(digestAnswers({ ...io, env: {} }, questions), answers);
});

t.test("what changes nothing of the machine leaves the trace whole", async (t) => {
  const { io } = machine(t);
  const traced = traceIo(io);
  traced.io.files.makeDirectory("/directory");
  traced.io.files.remove("/none");
  const trace = traced.trace();
  t.equal(digestAnswers(io, trace?.questions ?? []), trace?.answers);
  io.files.write("/none", "now it would be removed");
  t.not(digestAnswers(io, trace?.questions ?? []), trace?.answers);
});

t.test("whatever is no question, and an answer that changes, spoils the trace", async (t) => {
  const spoilers: Readonly<Record<string, (io: Io) => unknown>> = {
    write: ({ files }) => files.write("/new", ""),
    create: ({ files }) => files.create("/new", ""),
    append: ({ files }) => files.append("/new", ""),
    link: ({ files }) => files.link("file", "/new"),
    makeDirectory: ({ files }) => files.makeDirectory("/new"),
    rename: ({ files }) => files.rename("/file", "/new"),
    remove: ({ files }) => files.remove("/file"),
    syncTree: ({ files }) => files.syncTree("/directory"),
    open: ({ files }) => files.open("/file").close(),
    space: ({ files }) => files.space("/"),
    modified: ({ files }) => files.stat("/file")?.modifiedMs,
    now: ({ clock }) => clock.now(),
    monotonic: ({ clock }) => clock.monotonicMs(),
    sleep: ({ clock }) => clock.sleep(1),
    uuid: ({ random }) => random.uuid(),
    bytes: ({ random }) => random.bytes(1),
    exec: (io) => io.exec({ file: "true", args: [], timeoutMs: 1000 }).catch(() => {}),
    effect: (io) => io.effect("something"),
    everyVariable: ({ env }) => Object.keys(env),
  };
  for (const [name, spoil] of Object.entries(spoilers)) {
    const { io } = machine(t);
    const traced = traceIo(io);
    await spoil(traced.io);
    t.equal(traced.trace(), undefined, name);
  }
  const { root, io } = machine(t);
  const traced = traceIo(io);
  traced.io.files.read("/file");
  write("file", "other")(root);
  traced.io.files.read("/file");
  t.equal(traced.trace(), undefined, "another answer");
  const told = traceIo(io);
  told.spoil();
  t.equal(told.trace(), undefined, "said so");
});
