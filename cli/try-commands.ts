import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { raspberryPi4 } from "#integration/machines/raspberry-pi-4.ts";
import { writeMachine } from "#integration/machines/write-machine.ts";

/** The program as it stands in the source tree. */
export const entry = path.join(import.meta.dirname, "main.ts");

/** Runs one command line to its end. */
export function firstlight(
  args: readonly string[],
  input = "",
  env: Readonly<Record<string, string>> = {},
) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...args], {
    encoding: "utf8",
    input,
    env: { ...process.env, ...env },
    timeout: 60_000,
  });
  return { code: status, stdout, stderr };
}

/** A Raspberry Pi with a seed, in a directory of the test; gives back its root. */
export function machine(t: { testdir(): string }, userData: string): string {
  const root = path.join(t.testdir(), "root");
  mkdirSync(root);
  writeMachine(root, raspberryPi4);
  const seed = path.join(root, "var/lib/cloud/seed/nocloud");
  mkdirSync(seed, { recursive: true });
  writeFileSync(path.join(seed, "meta-data"), "instance-id: i-1\nlocal-hostname: pi.example.org\n");
  writeFileSync(path.join(seed, "user-data"), userData);
  return root;
}

/** Lines of a cloud-config whose system is judged at once. */
export const healthy = "firstlight: { health: { passes: 1, interval: 1ms, timeout: 1s } }\n";

/** The same, while this process goes on: for a server in it. */
export async function firstlightBeside(args: readonly string[], input = "") {
  const child = execFile(process.execPath, [entry, ...args], { timeout: 60_000 });
  child.stdin?.end(input);
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (text) => {
    stdout += text;
  });
  child.stderr?.on("data", (text) => {
    stderr += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}
