import { chmodSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { OutputOptions, Plugin, RolldownOptions } from "rolldown";

/**
 * Few chunks instead of a hundred small ones: the first is what a boot with nothing to do needs, the
 * second what makes and changes a system. The third is the operator's side, with the libraries that
 * only it has: no node loads it, and a package for nodes may leave it out.
 */
const bootChunks = [
  {
    name: "boot",
    test: /\/cli\/(?:run|sides|progress|commands\/boot)\.ts$|\/agent\/link\/spool\.ts$/,
    priority: 2,
  },
  {
    name: "make-system",
    test: /\/(?:cli\/(?:node-deps|template-checks)|provisioner\/(?:render\/load-templates|profiles\/profile|system\/answer-request))\.ts$/,
    priority: 1,
  },
  // What seals and opens envelopes: by a node with its first one, and by owners with their keys.
  { name: "age", test: /\/node_modules\/(?:age-encryption|@noble|@scure)\//, priority: 3 },
  // What nodes and the operator's side both know: else it lay in the chunk of the one, and the other loaded that.
  { name: "topics", test: /\/protocol\/topics\.ts$/, priority: 2 },
  { name: "enroll-messages", test: /\/protocol\/enroll\//, priority: 2 },
  { name: "fleet", test: /\/cli\/commands\/fleet\.ts$/, priority: 1 },
];

/** MQTT.js brings the streams of Node.js for browsers; here Node's own do, and 5 MiB less stay in memory. */
const ownStreams = { "readable-stream": "node:stream" };

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
      codeSplitting: { groups: bootChunks },
      plugins: [asciiOnly(), dropOld()],
    }),
  ];
}

function part(repository: string, input: string, output: OutputOptions): RolldownOptions {
  return {
    input,
    cwd: repository,
    platform: "node",
    resolve: { alias: ownStreams },
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
