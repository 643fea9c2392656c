import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { runProcess } from "#core/run-process.ts";

const checkout = path.dirname(path.dirname(import.meta.dirname));
const script = path.join(import.meta.dirname, "container.sh");
const bootMs = 240_000;

/** Where the container has the checkout and its Node. */
export const inside = {
  checkout: "/opt/firstlight",
  node: "/opt/firstlight/node_modules/node/bin/node",
} as const;

/** Why no container can be booted here, or `false`; under `CI=true` always `false`. */
export function skipWithoutContainer(): string | false {
  if (process.env["CI"] === "true") return false;
  const isThere = (program: string) => spawnSync(program, ["--version"]).status === 0;
  if (process.getuid?.() !== 0) return "SKIPPED: a container needs root";
  const missing = ["systemd-nspawn", "unshare", "nix-daemon"].filter((name) => !isThere(name));
  if (missing.length === 0) return false;
  return `SKIPPED: a container needs ${missing.join(", ")} (Debian: systemd-container, nix-bin)`;
}

/**
 * Boots systemd on top of this host's files, with these laid over them, and waits for its power-off;
 * gives back what it wrote to `/var/result`. `options` are those of systemd-nspawn.
 */
export async function bootContainer(
  files: Readonly<Record<string, string>>,
  options: readonly string[] = [],
): Promise<unknown> {
  const home = mkdtempSync(path.join(tmpdir(), "sides-container-"));
  try {
    const over = path.join(home, "files");
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(over, file)), { recursive: true });
      writeFileSync(path.join(over, file), content);
    }
    mkdirSync(path.join(home, "scratch"));
    const result = path.join(home, "result");
    const args = [
      "--mount",
      "sh",
      script,
      path.join(home, "scratch"),
      over,
      checkout,
      result,
      ...options,
    ];
    const run = await runProcess({ file: "unshare", args, timeoutMs: bootMs }, process.env);
    const console = `${run.stdout}\n${run.stderr}`;
    if (run.code !== 0) throw new Error(`the container ended with ${run.code}:\n${console}`);
    if (!existsSync(result)) throw new Error(`the container wrote no result:\n${console}`);
    return JSON.parse(readFileSync(result, "utf8"));
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
