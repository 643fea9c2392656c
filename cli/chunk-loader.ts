import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import vm from "node:vm";

/** What V8 compiled of a chunk lies beside it, by this ending (`tools/compile-chunks.ts`). */
export const compiledSuffix = ".compiled";
const digestBytes = 32;

/** A module as CommonJS knows it. */
interface Module {
  exports: unknown;
}

type Chunk = (
  exports: unknown,
  require: (name: string) => unknown,
  module: Module,
  file: string,
  directory: string,
) => void;

/**
 * Loads chunks of the bundle, CommonJS, from one directory: relative names are chunks, all others
 * Node's own modules. A chunk comes out of what V8 compiled of it when the program was built, each
 * function that ran then; Node's own compile cache holds only the outermost ones, and is written to
 * by who uses it. See `vm.Script` and its `cachedData` in Node's documentation.
 */
export function chunkLoader(directory: string): (name: string) => unknown {
  const loaded = new Map<string, Module>();
  const load = (name: string): unknown => {
    if (!name.startsWith(".")) return builtin(name);
    const file = path.join(directory, path.basename(name));
    const known = loaded.get(file);
    if (known !== undefined) return known.exports;
    const module: Module = { exports: {} };
    loaded.set(file, module);
    try {
      compile(file)(module.exports, load, module, file, directory);
    } catch (error) {
      loaded.delete(file); // the next one tries again
      throw error;
    }
    return module.exports;
  };
  return load;
}

/** Libraries ask for what may not be installed, and go on without it when this throws. */
function builtin(name: string): unknown {
  const module: unknown = process.getBuiltinModule(name);
  if (module !== undefined) return module;
  throw Object.assign(new Error(`Cannot find module '${name}'`), { code: "MODULE_NOT_FOUND" });
}

function compile(file: string): Chunk {
  const text = readFileSync(file);
  const script = new vm.Script(
    `(function (exports, require, module, __filename, __dirname) { "use strict"; ${text}\n})`,
    { filename: file, cachedData: compiledOf(file, text) },
  );
  return script.runInThisContext() as Chunk;
}

/**
 * What was compiled of this very text; V8 itself looks at its version, its flags and the length,
 * and compiles anew where they differ. It does not look for damage, which would end the program.
 */
function compiledOf(file: string, text: Uint8Array): Uint8Array | undefined {
  const content = readIfThere(`${file}${compiledSuffix}`);
  if (content === undefined) return undefined;
  const compiled = content.subarray(digestBytes);
  const isWhole = digestOfCompiled(text, compiled).equals(content.subarray(0, digestBytes));
  return isWhole ? compiled : undefined;
}

/** The first bytes of such a file: of which text it was made, and that it is whole. */
export function digestOfCompiled(text: Uint8Array, compiled: Uint8Array): Buffer {
  return createHash("sha256").update(text).update(compiled).digest();
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined; // a cache: without it everything is compiled anew
  }
}
