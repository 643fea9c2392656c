import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import vm from "node:vm";
import { rolldown } from "rolldown";
import t from "tap";
import { chunkLoader } from "#cli/chunk-loader.ts";
import { bundle } from "./bundle.ts";

const isRollout = (source: string) => source.includes("/fleet/rollout/");

const repository = join(import.meta.dirname, "..");

async function build(root: string): Promise<void> {
  for (const { output, ...input } of bundle(root)) {
    const built = await rolldown(input);
    for (const each of [output ?? []].flat()) await built.write(each);
    await built.close();
  }
}

function chunks(root: string): readonly string[] {
  return readdirSync(join(root, "dist/chunks")).filter((name) => name.endsWith(".js"));
}

const program = {
  "package.json": '{ "type": "module", "imports": { "#core/*": "./core/*" } }',
  dist: { "package.json": '{ "type": "commonjs" }' },
  core: {
    "codes.ts": "export const words: readonly string[] = ['first', 'light'];",
    "old.cjs": "exports.words = ['common'];",
  },
  cli: {
    "run.ts": `const load = { say: () => import("./commands/say.ts") };
export async function run([name]: readonly string[]): Promise<number> {
  if (name === "say") (await load.say()).say();
  return 0;
}`,
    commands: {
      "say.ts": `import { words } from "#core/codes.ts";
import old from "#core/old.cjs";
export function say(): void { console.log([...words, ...old.words].join(" ")); }`,
    },
  },
};

t.test("the entry can be executed and loads a command only when it is asked for", async (t) => {
  const root = t.testdir(program);
  await build(root);
  const entry = join(root, "dist/firstlight.js");
  t.equal(statSync(entry).mode & 0o111, 0o111);
  t.match(readFileSync(entry, "utf8"), /^#!\/usr\/bin\/env node\n/);
  t.notMatch(readFileSync(entry, "utf8"), /words/, "the command is a chunk of its own");
  t.equal(execFileSync(entry, ["say"], { encoding: "utf8" }), "first light common\n");
  t.equal(execFileSync(entry, { encoding: "utf8" }), "");
  t.ok(existsSync(`${entry}.map`), "with a source map");
});

t.test("chunks are ASCII and say what the source says", async (t) => {
  const say = (text: string) => ({
    ...program,
    cli: { ...program.cli, commands: { "say.ts": text } },
  });
  const root = t.testdir(
    say(`// caf\u00e9
export function say(): void { console.log("\u2026", \`\u{1f511}\`, /^[\u{1f510}-\u{1f512}]$/u.test("\u{1f511}")); }`),
  );
  await build(root);
  for (const name of chunks(root))
    t.notMatch(readFileSync(join(root, "dist/chunks", name), "utf8"), /[^\0-\x7f]/);
  const said = execFileSync(join(root, "dist/firstlight.js"), ["say"], { encoding: "utf8" });
  t.equal(said, "\u2026 \u{1f511} true\n");
  const odd = t.testdir(say("export function say(): void { console.log(/\\\u2026/.test('')); }"));
  await t.rejects(build(odd), /a backslash before a character outside of ASCII/);
});

t.test("chunks of earlier builds are removed", async (t) => {
  const root = t.testdir(program);
  mkdirSync(join(root, "dist/chunks"), { recursive: true });
  writeFileSync(join(root, "dist/chunks/say-old.js"), "");
  writeFileSync(join(root, "dist/chunks/say-old.js.compiled"), "");
  await build(root);
  t.equal(chunks(root).filter((name) => name.startsWith("say-")).length, 1);
  t.notOk(existsSync(join(root, "dist/chunks/say-old.js")));
  t.notOk(existsSync(join(root, "dist/chunks/say-old.js.compiled")));
});

t.test("a missing entry and an import that leads nowhere are errors that say so", async (t) => {
  t.throws(() => bundle(t.testdir({})), /expected cli\/run.ts, the program/);
  const root = t.testdir({ ...program, cli: { "run.ts": `await import("#core/none.ts");` } });
  await t.rejects(build(root), /#core\/none.ts/);
});

t.test("the program in dist has every command as a chunk, and its assets beside it", (t) => {
  const dist = join(repository, "dist");
  if (!existsSync(join(dist, "firstlight.js"))) {
    t.fail("expected dist/firstlight.js: run `npm run build` first");
    t.end();
    return;
  }
  const sources = chunks(repository).flatMap((name) => sourcesOf(join(dist, "chunks", name)));
  const entrySources = sourcesOf(join(dist, "firstlight.js"));
  for (const name of readdirSync(join(repository, "cli/commands"))) {
    if (name.endsWith(".test.ts")) continue;
    t.ok(
      sources.some((source) => source.endsWith(`cli/commands/${name}`)),
      `${name} is in a chunk`,
    );
    t.notOk(
      entrySources.some((source) => source.endsWith(`cli/commands/${name}`)),
      "and only there",
    );
  }
  t.notOk(
    entrySources.some((source) => source.includes("node_modules")),
    "no library in the entry",
  );
  t.strictSame(
    sources.filter((source) => /\/node_modules\/(?:kysely|pg)\//.test(source)),
    [],
    "what only a server of the fleet needs is in no chunk of a node",
  );
  const withAge = chunks(repository).filter((name) =>
    sourcesOf(join(dist, "chunks", name)).some((source) => source.includes("/age-encryption/")),
  );
  t.match(withAge, [/^age-/], "what opens envelopes is loaded with the first one");
  t.equal(withAge.length, 1);
  const ofFleet = chunks(repository).filter((name) =>
    sourcesOf(join(dist, "chunks", name)).some((source) =>
      /\/(?:fleet\/|node_modules\/(?:@peculiar|asn1js|jose)\/)/.test(source),
    ),
  );
  for (const part of ["enroll", "signing"]) {
    t.equal(ofFleet.filter((name) => name.startsWith(`fleet-${part}-`)).length, 1, part);
  }
  t.ok(
    ofFleet.some((name) => sourcesOf(join(dist, "chunks", name)).some(isRollout)),
    "the operator's side is in chunks of its own",
  );
  const loading = chunks(repository).filter((name) => {
    const code = readFileSync(join(dist, "chunks", name), "utf8");
    const loaded = [...code.matchAll(/^(?:const|let|var) [\w$]+ ?= ?require\("\.\/([^"]+)"\)/gm)];
    return loaded.some(([, of = ""]) => ofFleet.includes(of));
  });
  t.same(
    loading.filter((name) => !ofFleet.includes(name)),
    [],
    "and no chunk of a node loads it",
  );
  for (const asset of [
    "hardware-profiles/rules.jsonl",
    "hardware-profiles/generic/x86-64.json",
    "hardware-profiles/nixos-hardware.json",
    "schemas/facts-v1.json",
    "schemas/facts-report-v1.json",
    "nixos/module.nix",
    "templates/docker-host",
  ]) {
    t.ok(existsSync(join(dist, asset)), asset);
  }
  t.end();
});

/** Paths of the sources that went into a file of the bundle, as its source map names them. */
function sourcesOf(path: string): readonly string[] {
  if (!existsSync(`${path}.map`)) return [];
  const map: unknown = JSON.parse(readFileSync(`${path}.map`, "utf8"));
  return (map as { readonly sources: readonly string[] }).sources;
}

t.test("the program in dist comes out of what was compiled of it, and leaves it as it is", (t) => {
  const { program, run } = copyOfProgram(t);
  const before = treeOf(program);
  const { status, compiled } = run();
  t.equal(status, 0);
  t.strictSame([...compiled.keys()].map((name) => name.replace(/-.*/, "")).sort(), [
    "boot",
    "rolldown",
    "run.js",
  ]);
  t.ok(
    [...compiled.values()].every((how) => how === "taken"),
    "of every chunk",
  );
  t.strictSame(treeOf(program), before);
  t.end();
});

/** The chunk of the boot; others whose name begins so are not compiled. */
function compiledChunk(root: string): string {
  const isCompiled = (chunk: string) => existsSync(join(root, "dist/chunks", `${chunk}.compiled`));
  const found = chunks(root).find((chunk) => chunk.startsWith("boot-") && isCompiled(chunk));
  if (found === undefined) throw new Error("the chunk of the boot is not compiled");
  return found;
}

t.test("what was compiled of another text, or is damaged, is compiled anew", (t) => {
  const { program, run } = copyOfProgram(t);
  const name = compiledChunk(program);
  const file = join(program, "dist/chunks", name);
  const text = readFileSync(file);
  const content = readFileSync(`${file}.compiled`);
  const compiledOf = () => run().compiled.get(name);
  for (let at = 0; at < content.length; at += Math.ceil(content.length / 8)) {
    const damaged = Buffer.from(content);
    damaged[at] = (damaged[at] ?? 0) ^ 0x40;
    writeFileSync(`${file}.compiled`, damaged);
    t.equal(compiledOf(), "absent", `byte ${at} is another one`);
  }
  writeFileSync(`${file}.compiled`, content.subarray(0, content.length / 2));
  t.equal(compiledOf(), "absent", "half of it");
  writeFileSync(`${file}.compiled`, "");
  t.equal(compiledOf(), "absent", "nothing of it");
  writeFileSync(`${file}.compiled`, content);
  t.equal(compiledOf(), "taken");
  text.write("P", text.lastIndexOf("p")); // in the comment that names its source map
  writeFileSync(file, text);
  t.equal(compiledOf(), "absent", "another text of the same length");
  t.end();
});

t.test("what is compiled reaches down to the functions that every boot runs", (t) => {
  const name = compiledChunk(repository);
  const file = join(repository, "dist/chunks", name);
  const outermost = new vm.Script(readFileSync(file, "utf8")).createCachedData().length;
  const { size } = statSync(`${file}.compiled`);
  t.ok(size > 1.3 * outermost, `${size} bytes, of the outermost functions alone ${outermost}`);
  t.end();
});

t.test("a run that never ends is no success", async (t) => {
  const never = "export async function run(): Promise<number> { return new Promise(() => {}); }";
  const root = t.testdir({ ...program, cli: { "run.ts": never } });
  await build(root);
  t.equal(spawnSync(process.execPath, [join(root, "dist/firstlight.js")]).status, 13);
});

t.test("a run that is over is the end of the program", async (t) => {
  const over = `export async function run(): Promise<number> {
  process.on("beforeExit", () => console.log("waited"));
  return 3;
}`;
  const root = t.testdir({ ...program, cli: { "run.ts": over } });
  await build(root);
  t.match(spawnSync(process.execPath, [join(root, "dist/firstlight.js")], { encoding: "utf8" }), {
    ...{ status: 3, stdout: "" },
  });
});

t.test("no chunk imports by itself: what it asks Node for comes without a warning", (t) => {
  for (const name of chunks(repository)) {
    const text = readFileSync(join(repository, "dist/chunks", name), "utf8");
    t.notMatch(text, /^[^*/]*\bawait import\(/m, `${name}: use process.getBuiltinModule`);
  }
  t.end();
});

t.test("a chunk that failed to load is tried again, and a module that is none is told", (t) => {
  const directory = t.testdir({
    "now-and-then.js": `globalThis.tries = (globalThis.tries ?? 0) + 1;
if (globalThis.tries < 2) throw new Error("not yet");
exports.tries = globalThis.tries;`,
    "asks.js": 'exports.found = require("no-such-module");',
    "twice.js": 'exports.same = require("./now-and-then.js") === require("./now-and-then.js");',
  });
  const load = chunkLoader(directory);
  t.throws(() => load("./now-and-then.js"), /not yet/);
  t.match(load("./now-and-then.js"), { tries: 2 });
  t.match(load("./twice.js"), { same: true });
  t.throws(() => load("./asks.js"), { code: "MODULE_NOT_FOUND", message: /'no-such-module'/ });
  t.end();
});

t.test("the text of a long chunk is kept once, and outside of V8's heap", (t) => {
  const bytes = 900_000;
  const directory = t.testdir({ "long.js": `/*${"x".repeat(bytes)}*/ exports.mode = this;` });
  const load = chunkLoader(directory);
  const before = process.memoryUsage();
  t.same(load("./long.js"), { mode: undefined }, "and is run to its end, in strict mode");
  const after = process.memoryUsage();
  const inHeap = after.heapUsed - before.heapUsed;
  t.ok(inHeap < bytes / 2, `${inHeap} bytes more in the heap`);
  const outside = after.external - before.external;
  t.ok(outside > bytes, `${outside} bytes more outside`);
  t.end();
});

t.test("chunks come without the comments of the source, but those about rights", async (t) => {
  const say = `/*! Rights are reserved. */
const said = /* @__PURE__ */ String("said");
/** What it says. */
export function say(): void { console.log(said); }`;
  const root = t.testdir({ ...program, cli: { ...program.cli, commands: { "say.ts": say } } });
  await build(root);
  const text = chunks(root)
    .map((name) => readFileSync(join(root, "dist/chunks", name), "utf8"))
    .join("");
  t.match(text, /Rights are reserved/);
  t.notMatch(text, /What it says|PURE/);
  t.end();
});

/** A copy of the program in dist, and what became of each compiled chunk when it is run. */
function copyOfProgram(t: { testdir(): string }) {
  const program = t.testdir();
  cpSync(join(repository, "dist"), join(program, "dist"), { recursive: true });
  const spy = join(program, "spy.cjs");
  writeFileSync(
    spy,
    `const vm = require("node:vm");
vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options);
    const how = this.cachedDataRejected === undefined ? "absent" : this.cachedDataRejected ? "refused" : "taken";
    process.stderr.write("compiled " + require("node:path").basename(options.filename) + " " + how + "\\n");
  }
};`,
  );
  const run = () => {
    const argv = ["--require", spy, join(program, "dist/firstlight.js"), "--version"];
    const { status, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8" });
    const found = [...stderr.matchAll(/^compiled (\S+) (\S+)$/gm)];
    return { status, compiled: new Map(found.map(([, name = "", how = ""]) => [name, how])) };
  };
  return { program, run };
}

function treeOf(directory: string): readonly string[] {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" }).sort();
  return names.map((name) => {
    const { size, mtimeMs } = lstatSync(join(directory, name));
    return `${name} ${size} ${mtimeMs}`;
  });
}
