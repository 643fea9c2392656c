import { accessSync, constants, existsSync } from "node:fs";
import { enableCompileCache } from "node:module";
import path from "node:path";

// What V8 made of the bundle lies beside it (`tools/compile-cache.ts`). Everything but these lines is
// imported afterwards, because only that comes out of the cache; a source tree has none. Node also
// writes to a cache, at its end, and what is in a Nix store must never change: there it is used only
// where nobody can write to it, as on NixOS.
const compileCache = path.join(import.meta.dirname, "compile-cache");
const inStore = compileCache.startsWith(`${process.env["NIX_STORE_DIR"] ?? "/nix/store"}/`);
if (existsSync(compileCache) && !(inStore && isWritable(compileCache)))
  enableCompileCache({ directory: compileCache, portable: true });

const { run } = await import("./run.ts");
process.exitCode = await run(process.argv.slice(2));

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
