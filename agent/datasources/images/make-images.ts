/** For tests: images of seeds, made by the tools that people make them with. */

import { execFileSync, spawnSync } from "node:child_process";
import { createCipheriv } from "node:crypto";
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { RandomAccess } from "#core/io.ts";

/** Contents by path below the root of the image. */
export type Tree = Readonly<Record<string, string | Uint8Array>>;

/** Options of the two programs that make ISO images: each is the command without output and input. */
export const isoPrograms = {
  "xorriso -J -r": ["xorriso", "-as", "mkisofs", "-quiet", "-J", "-r"],
  "xorriso -r": ["xorriso", "-as", "mkisofs", "-quiet", "-r"],
  "xorriso -J": ["xorriso", "-as", "mkisofs", "-quiet", "--norock", "-J"],
  "xorriso plain": ["xorriso", "-as", "mkisofs", "-quiet", "--norock"],
  "genisoimage -J -r": ["genisoimage", "-quiet", "-J", "-r"],
  "genisoimage -r": ["genisoimage", "-quiet", "-r"],
  "genisoimage -J": ["genisoimage", "-quiet", "-J"],
  "genisoimage plain": ["genisoimage", "-quiet"],
} as const satisfies Record<string, readonly string[]>;

/** Options for `t.test` that skip it where a program is missing; under `CI=true` it fails instead. */
export function needs(...programs: readonly string[]): { readonly skip?: string } {
  const missing = programs.filter((program) => spawnSync("which", [program]).status !== 0);
  if (missing.length === 0 || process.env["CI"] === "true") return {};
  return { skip: `not installed: ${missing.join(", ")}` };
}

/** Writes a tree of files into a directory and returns the directory. */
export function writeTree(directory: string, tree: Tree): string {
  mkdirSync(directory, { recursive: true });
  for (const [name, content] of Object.entries(tree)) {
    const file = path.join(directory, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  return directory;
}

/** Makes an ISO 9660 image of a directory. */
export function makeIso(
  image: string,
  directory: string,
  options: { program?: keyof typeof isoPrograms; label?: string; extra?: readonly string[] } = {},
): string {
  const [file, ...args] = isoPrograms[options.program ?? "xorriso -J -r"];
  const label = ["-V", options.label ?? "cidata"];
  run(file, [...args, ...label, ...(options.extra ?? []), "-o", image, directory]);
  return image;
}

/**
 * Makes an image with UDF alone, as Azure's disc is: genisoimage puts ISO 9660 beside it, whose
 * descriptors are taken away.
 */
export function makeUdf(image: string, directory: string): string {
  makeIso(image, directory, {
    program: "genisoimage -J -r",
    extra: ["-udf", "-input-charset", "utf-8"],
  });
  const bytes = readFileSync(image);
  const recognition = bytes.indexOf("BEA01") - 1;
  bytes.copy(bytes, 16 * 2048, recognition, recognition + 3 * 2048);
  bytes.fill(0, 19 * 2048, recognition + 3 * 2048);
  writeFileSync(image, bytes);
  return image;
}

/** Makes a FAT image and copies a tree into it, with mkfs.vfat and mtools. */
export function makeFat(
  image: string,
  tree: Tree,
  options: { bits?: 12 | 16 | 32; label?: string; bytes?: number; extra?: readonly string[] } = {},
): string {
  writeFileSync(image, "");
  truncateSync(image, options.bytes ?? 2 * 1024 * 1024);
  const bits = options.bits === undefined ? [] : ["-F", String(options.bits)];
  const label =
    options.label === undefined
      ? ["-n", "CIDATA"]
      : options.label === ""
        ? []
        : ["-n", options.label];
  run("mkfs.vfat", ["-i", "1234abcd", ...bits, ...label, ...(options.extra ?? []), image]);
  const directory = writeTree(`${image}.tree`, tree);
  const names = [...new Set(Object.keys(tree).map((name) => name.split("/")[0] ?? name))];
  const files = names.map((name) => path.join(directory, name));
  if (files.length > 0) mtools("mcopy", image, ["-s", ...files, "::/"]);
  return image;
}

/** Runs a program of mtools on an image. */
export function mtools(
  program: string,
  image: string,
  args: readonly string[],
  input: string | Uint8Array = "",
): void {
  run(program, ["-i", image, ...args], input);
}

/** Runs a program and throws with its messages when it fails; once more where it was the program that crashed. */
export function run(
  file: string,
  args: readonly string[],
  input: string | Uint8Array = "",
): string {
  try {
    return runOnce(file, args, input);
  } catch (error) {
    // xorriso says so itself, and ends with a code.
    if (!/SIGSEGV/.test(String((error as { readonly stderr?: unknown }).stderr))) throw error;
    return runOnce(file, args, input);
  }
}

function runOnce(file: string, args: readonly string[], input: string | Uint8Array): string {
  const env = { ...process.env, MTOOLS_SKIP_CHECK: "1", SOURCE_DATE_EPOCH: "1767225600" };
  return execFileSync(file, args, {
    input,
    env,
    stdio: ["pipe", "pipe", "pipe"],
    timeout: 60_000,
  }).toString();
}

/** Bytes as an open file that counts what is read of it and throws when a read leaves it. */
export function memoryAccess(
  bytes: Uint8Array,
): RandomAccess & { readonly counts: { reads: number; bytes: number } } {
  const counts = { reads: 0, bytes: 0 };
  return {
    size: bytes.length,
    counts,
    read(offset, length) {
      if (
        offset < 0 ||
        length < 0 ||
        !Number.isInteger(offset + length) ||
        offset + length > bytes.length
      ) {
        throw new Error(
          `read outside of the image: ${length} bytes at ${offset} of ${bytes.length}`,
        );
      }
      counts.reads += 1;
      counts.bytes += length;
      return bytes.subarray(offset, offset + length);
    },
    close() {},
  };
}

/** Bytes without a pattern, the same for the same seed. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = createCipheriv("aes-128-ctr", Buffer.alloc(16, seed), Buffer.alloc(16));
  return bytes.update(Buffer.alloc(length));
}
