// Runs a TypeScript file on the repository's own Node, after generated/ was brought up to date:
//   node tools/with-generated.mjs demo/main.ts --ci
// Arguments, standard streams, signals and exit code pass through.

import { spawn, spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = dirname(dirname(fileURLToPath(import.meta.url)));
const node = join(repository, "node_modules/.bin/node");
const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  console.error("expected: with-generated.mjs FILE [ARGUMENT…]");
  process.exit(1);
}

const generated = spawnSync(node, [join(repository, "tools/generate.ts")], {
  stdio: ["ignore", 2, 2],
});
if (generated.status !== 0) process.exit(generated.status ?? 1);

const child = spawn(node, [file, ...args], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    // Ctrl-C in a terminal reaches the child by itself.
    if (signal !== "SIGINT" || process.stdin.isTTY !== true) child.kill(signal);
  });
}
child.on("error", (error) => {
  console.error(`firstlight: ${node} did not start: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code ?? 1);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
