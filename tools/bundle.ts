import { chmodSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Plugin, RolldownOptions } from "rolldown";
import { builtinModules } from "./builtin-modules.ts";

/**
 * Two chunks instead of fifty small ones: each file costs about half a millisecond. The first is what
 * every boot needs, the second what makes a system.
 */
const bootChunks = [
  {
    name: "boot",
    test: /\/(?:cli\/(?:run|sides|progress|commands\/boot)|agent\/link\/outbox|provisioner\/system\/driver)\.ts$/,
    priority: 2,
  },
  {
    name: "make-system",
    test: /\/(?:cli\/(?:node-deps|template-checks)|provisioner\/(?:render\/load-templates|profiles\/profile))\.ts$/,
    priority: 1,
  },
];

/**
 * How the program for the node is bundled: `cli/main.ts` becomes `dist/firstlight.js`, which can
 * be executed, and everything that it reaches by `import()` a chunk that is loaded when needed.
 * Throws when the entry is missing.
 */
export function bundle(repository: string): RolldownOptions {
  const entry = join(repository, "cli/main.ts");
  if (!existsSync(entry)) {
    throw new Error("build: expected cli/main.ts, the entry of the program; there is no such file");
  }
  return {
    input: { firstlight: entry },
    cwd: repository,
    platform: "node",
    plugins: [builtinModules(), finishDirectory()],
    output: {
      dir: join(repository, "dist"),
      format: "esm",
      entryFileNames: "[name].js",
      chunkFileNames: "chunks/[name]-[hash].js",
      codeSplitting: { groups: bootChunks },
      sourcemap: true,
      banner: (chunk) => (chunk.isEntry ? "#!/usr/bin/env node" : ""),
    },
    onLog(level, log, show) {
      if (log.code === "UNRESOLVED_IMPORT") throw new Error(`build: ${log.message}`);
      show(level, log);
    },
  };
}

/** Makes the entry executable and removes the chunks of earlier builds. */
function finishDirectory(): Plugin {
  return {
    name: "finish-directory",
    writeBundle({ dir = "dist" }, output) {
      chmodSync(join(dir, "firstlight.js"), 0o755);
      const chunks = join(dir, "chunks");
      if (!existsSync(chunks)) return;
      for (const name of readdirSync(chunks)) {
        if (!(`chunks/${name}` in output)) rmSync(join(chunks, name));
      }
    },
  };
}
