import { chmodSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type {
  ChunkingContext,
  CodeSplittingGroup,
  OutputOptions,
  Plugin,
  RolldownOptions,
} from "rolldown";

/** What a boot with nothing to do needs from its beginning. */
const ofBoot = [
  "cli/run.ts",
  "cli/sides.ts",
  "cli/progress.ts",
  "cli/commands/boot.ts",
  "agent/link/spool.ts",
];
/** The daemon, which stays: whatever it has loaded stays in memory with it. */
const ofAgent = ["cli/run.ts", "cli/commands/agent.ts"];

/**
 * Few chunks instead of a hundred small ones: `core` is what both a boot and the daemon need from their
 * beginning, `boot` and `agent` what only one of them does; `make-system` is what makes and changes a
 * system. The last is the operator's side, with the libraries that only it has: no node loads it, and a
 * package for nodes may leave it out.
 */
function groups(repository: string): CodeSplittingGroup[] {
  const isOfBoot = reachedFrom(ofBoot.map((name) => join(repository, name)));
  const isOfAgent = reachedFrom(ofAgent.map((name) => join(repository, name)));
  const isOfBoth: Reached = (...of) => isOfBoot(...of) && isOfAgent(...of);
  const group = (name: string, priority: number, has: Reached): CodeSplittingGroup => ({
    name: (id, context) => (has(id, context) ? name : null),
    debugName: name,
    priority,
  });
  return [
    group("core", 4, isOfBoth),
    group("boot", 3, isOfBoot),
    group("agent", 2, isOfAgent),
    {
      name: "make-system",
      test: /\/(?:cli\/(?:node-deps|template-checks)|provisioner\/(?:render\/load-templates|profiles\/profile|system\/answer-request))\.ts$/,
      priority: 1,
    },
    // What seals and opens envelopes: by a node with its first one, and by owners with their keys.
    { name: "age", test: /\/node_modules\/(?:age-encryption|@noble|@scure)\//, priority: 3 },
    // What nodes and the operator's side both know: else it lay in the chunk of the one, and the other loaded that.
    { name: "topics", test: /\/protocol\/topics\.ts$/, priority: 1 },
    { name: "enroll-messages", test: /\/protocol\/enroll\//, priority: 1 },
    { name: "fleet", test: /\/cli\/commands\/fleet\.ts$/, priority: 1 },
  ];
}

type Reached = (id: string, graph: ChunkingContext) => boolean;

/** Whether a module is one of these, or imported by one of them, with no `import()` on the way. */
function reachedFrom(files: readonly string[]): Reached {
  let reached: ReadonlySet<string> | undefined;
  return (id, graph) => {
    reached ??= reach(files, graph);
    return reached.has(id);
  };
}

function reach(files: readonly string[], graph: ChunkingContext): ReadonlySet<string> {
  const reached = new Set(files);
  for (const id of reached) {
    for (const imported of graph.getModuleInfo(id)?.importedIds ?? []) reached.add(imported);
  }
  return reached;
}

/** MQTT.js brings the streams and timers that browsers need; here Node's own do, and 5 MiB less stay in memory. */
const nodesOwn = { "readable-stream": "node:stream", "worker-timers": "node:timers" };

const loader = join(import.meta.dirname, "../cli/bundled.ts");

/**
 * How the program for the node is bundled, in two parts: `dist/firstlight.js`, which can be executed
 * and loads the other, and `cli/run.ts` with everything that it reaches by `import()`, each a chunk
 * that is loaded when needed. Throws when the program is missing.
 */
export function bundle(repository: string): readonly RolldownOptions[] {
  const program = join(repository, "cli/run.ts");
  if (!existsSync(program)) {
    throw new Error("build: expected cli/run.ts, the program; there is no such file");
  }
  const dir = join(repository, "dist");
  return [
    part(repository, loader, {
      ...{ file: join(dir, "firstlight.js"), banner: "#!/usr/bin/env node" },
      plugins: [asciiOnly(), executable()],
    }),
    part(repository, program, {
      dir,
      entryFileNames: "chunks/[name].js",
      chunkFileNames: "chunks/[name]-[hash].js",
      codeSplitting: { groups: groups(repository) },
      plugins: [asciiOnly(), dropOld()],
    }),
  ];
}

function part(repository: string, input: string, output: OutputOptions): RolldownOptions {
  return {
    input,
    cwd: repository,
    platform: "node",
    resolve: { alias: nodesOwn },
    plugins: [cronInUtc()],
    output: {
      format: "cjs",
      sourcemap: true,
      comments: { jsdoc: false, annotation: false },
      ...output,
    },
    onLog(level, log, show) {
      if (log.code === "UNRESOLVED_IMPORT") throw new Error(`build: ${log.message}`);
      show(level, log);
    },
  };
}

/**
 * Writes each character outside of ASCII as its escape: one of them in a chunk, and V8 keeps the whole
 * text with two bytes a character. Throws where a backslash stands before one, which would change.
 */
function asciiOnly(): Plugin {
  return {
    name: "ascii-only",
    generateBundle(_options, output) {
      for (const chunk of Object.values(output)) {
        if (chunk.type === "chunk") chunk.code = toAscii(chunk.code, chunk.fileName);
      }
    },
  };
}

function toAscii(code: string, file: string): string {
  const escaped = /\\[^\0-\x7f]/u.exec(code);
  if (escaped !== null) {
    const place = JSON.stringify(code.slice(Math.max(0, escaped.index - 40), escaped.index + 10));
    throw new Error(`build: ${file}: a backslash before a character outside of ASCII: ${place}`);
  }
  return code.replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Gives node-cron the `Intl` of `agent/cron-intl.ts`. Throws where it asks for more of it than that has. */
function cronInUtc(): Plugin {
  const ours = JSON.stringify(join(import.meta.dirname, "../agent/cron-intl.ts"));
  return {
    name: "cron-in-utc",
    transform: {
      filter: { id: /\/node_modules\/node-cron\/dist\/.*\.js$/, code: /\bIntl\b/ },
      handler(code, id) {
        const more = /\bIntl\b(?!\.DateTimeFormat\().*/.exec(code);
        if (more !== null) throw new Error(`build: ${id}: agent/cron-intl.ts has no ${more[0]}`);
        return { code: `import { cronIntl as Intl } from ${ours}; ${code}`, map: null };
      },
    },
  };
}

function executable(): Plugin {
  return {
    name: "executable",
    writeBundle: ({ file }) => {
      if (file !== undefined) chmodSync(file, 0o755);
    },
  };
}

/** Removes the chunks of earlier builds, and what was compiled of them. */
function dropOld(): Plugin {
  return {
    name: "drop-old",
    writeBundle({ dir = "dist" }, output) {
      for (const name of readdirSync(join(dir, "chunks"))) {
        if (!(`chunks/${name}` in output)) rmSync(join(dir, "chunks", name));
      }
    },
  };
}
