import { isFault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";

const maxBytes = 2 * 1024 * 1024;
/** As systemd hands it to the shipped units, which may not look into another process (nixos/module.nix). */
const handed = ["firstlight-boot", "firstlight-bootstrap"].map(
  (unit) => `/run/credentials/${unit}.service/process-1-environment`,
);

/**
 * The environment of process 1, by which a container is told what a machine has firmware for. For root
 * only: who may not read it is told nothing.
 */
export function readInitEnvironment(files: Files): ReadonlyMap<string, string> {
  for (const path of ["/proc/1/environ", ...handed]) {
    const text = read(files, path);
    if (text !== undefined) return pairsIn(text);
  }
  return new Map();
}

function pairsIn(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split("\0").map((each): readonly [string, string] => {
      const at = each.indexOf("=");
      return [each.slice(0, Math.max(0, at)), each.slice(at + 1)];
    }),
  );
}

function read(files: Files, path: string): string | undefined {
  try {
    return files.readText(path, { maxBytes });
  } catch (error) {
    if (isFault(error)) return undefined;
    throw error;
  }
}
