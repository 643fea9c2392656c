import { existsSync } from "node:fs";
import { enableCompileCache } from "node:module";
import path from "node:path";

// What V8 made of the bundle lies beside it (`tools/compile-cache.ts`). Everything but these lines is
// imported afterwards, because only that comes out of the cache; a source tree has none.
const compileCache = path.join(import.meta.dirname, "compile-cache");
if (existsSync(compileCache)) enableCompileCache({ directory: compileCache, portable: true });

const { run } = await import("./run.ts");
process.exitCode = await run(process.argv.slice(2));
