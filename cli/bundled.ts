import path from "node:path";
import { chunkLoader } from "./chunk-loader.ts";
import { endProcess } from "./end-process.ts";

// What `cli/main.ts` is in the source tree: the entry of the bundle.

const load = chunkLoader(path.join(import.meta.dirname, "chunks"));
const { run } = load("./run.js") as typeof import("./run.ts");
process.exitCode = 13; // as Node ends a program whose promise never settles
run(process.argv.slice(2)).then(endProcess);
