import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
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

const head = Buffer.from(
  '(function (exports, require, module, __filename, __dirname) { "use strict"; ',
);
const tail = Buffer.from("\n})");
/** Node keeps a text of so many bytes outside of V8's heap: `EXTERN_APEX` of its `string_bytes.cc`. */
const outsideFrom = 0xfbee9;

function compile(file: string): Chunk {
  const { source, text, bytes } = readChunk(file);
  const content = readIfThere(`${file}${compiledSuffix}`);
  const cachedData = content === undefined ? undefined : compiledOf(content, text);
  const script = new vm.Script(source, { filename: file, cachedData });
  release(bytes);
  if (content !== undefined) release(content);
  return script.runInThisContext() as Chunk;
}

/** Gives memory back that nothing points at: until V8 looks for garbage it counts as used, and V8 looks sooner. */
function release({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

interface ChunkText {
  readonly source: string;
  /** The chunk alone. */
  readonly text: Uint8Array;
  /** What it was read into. */
  readonly bytes: Uint8Array;
}

/**
 * A chunk, which is ASCII, and the function that it is run as: made as one text, since V8 keeps what it is
 * put together from as well. A long one has blanks behind it, so that Node keeps it outside of the heap:
 * what lives on in there makes V8 take more room for what does not.
 */
function readChunk(file: string): ChunkText {
  const fd = openSync(file, "r");
  try {
    const { size } = fstatSync(fd);
    const end = head.length + size;
    const least = size > outsideFrom / 2 ? outsideFrom : 0;
    const bytes = Buffer.allocUnsafeSlow(Math.max(end + tail.length, least));
    head.copy(bytes);
    for (let at = head.length; at < end; ) {
      const count = readSync(fd, bytes, at, end - at, null);
      if (count === 0) throw new Error(`${file}: expected ${size} bytes, found fewer`);
      at += count;
    }
    tail.copy(bytes, end);
    bytes.fill(" ", end + tail.length);
    return { source: bytes.toString("latin1"), text: bytes.subarray(head.length, end), bytes };
  } finally {
    closeSync(fd);
  }
}

/**
 * What was compiled of this very text; V8 itself looks at its version, its flags and the length,
 * and compiles anew where they differ. It does not look for damage, which would end the program.
 */
function compiledOf(content: Buffer, text: Uint8Array): Uint8Array | undefined {
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
