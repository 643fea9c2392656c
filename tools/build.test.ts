import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import t from "tap";
import { bundle } from "./bundle.ts";

const repository = join(import.meta.dirname, "..");

async function build(root: string): Promise<void> {
  const { output, ...input } = bundle(root);
  const built = await rolldown(input);
  for (const each of [output ?? []].flat()) await built.write(each);
  await built.close();
}

function chunks(root: string): readonly string[] {
  return readdirSync(join(root, "dist/chunks")).filter((name) => name.endsWith(".js"));
}

const program = {
  "package.json": '{ "type": "module", "imports": { "#core/*": "./core/*" } }',
  core: {
    "codes.ts": "export const words: readonly string[] = ['first', 'light'];",
    "old.cjs": "exports.words = ['common'];",
  },
  cli: {
    "main.ts": `const load = { say: () => import("./commands/say.ts") };
if (process.argv[2] === "say") (await load.say()).say();`,
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

t.test("chunks of earlier builds are removed", async (t) => {
  const root = t.testdir(program);
  mkdirSync(join(root, "dist/chunks"), { recursive: true });
  writeFileSync(join(root, "dist/chunks/say-old.js"), "");
  await build(root);
  t.equal(chunks(root).filter((name) => name.startsWith("say-")).length, 1);
  t.notOk(chunks(root).includes("say-old.js"));
});

t.test("a missing entry and an import that leads nowhere are errors that say so", async (t) => {
  t.throws(() => bundle(t.testdir({})), /expected cli\/main.ts, the entry of the program/);
  const root = t.testdir({ ...program, cli: { "main.ts": `await import("#core/none.ts");` } });
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
  for (const asset of ["hardware-profiles.json", "nixos/module.nix", "templates/docker-host"]) {
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

t.test("a program in a store that can be written to leaves it as it is", (t) => {
  const store = t.testdir();
  const program = join(store, "0123-firstlight");
  cpSync(join(repository, "dist"), program, { recursive: true, verbatimSymlinks: true });
  rmSync(join(program, "compile-cache"), { recursive: true });
  mkdirSync(join(program, "compile-cache")); // everything is still to be written
  const before = treeOf(program);
  const run = (NIX_STORE_DIR: string) =>
    spawnSync(process.execPath, [join(program, "firstlight.js"), "--version"], {
      env: { ...process.env, NIX_STORE_DIR },
    });
  t.equal(run(store).status, 0);
  t.strictSame(treeOf(program), before);
  t.equal(run("/nix/store").status, 0);
  t.notSame(treeOf(program), before, "elsewhere Node writes to its cache");
  t.end();
});

function treeOf(directory: string): readonly string[] {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" }).sort();
  return names.map((name) => `${name} ${lstatSync(join(directory, name)).size}`);
}

t.test("the program in dist comes out of its compile cache", (t) => {
  const entry = join(repository, "dist/firstlight.js");
  const env = { ...process.env, NODE_DEBUG_NATIVE: "COMPILE_CACHE" };
  const { stdout, stderr } = spawnSync(process.execPath, [entry, "--version"], {
    encoding: "utf8",
    env,
  });
  t.match(`${stdout}${stderr}`, /V8 code cache for ESM file:\S*\/chunks\/boot-\S+ was accepted/);
  t.end();
});
