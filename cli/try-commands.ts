import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { raspberryPi4 } from "#integration/machines/raspberry-pi-4.ts";
import { writeMachine } from "#integration/machines/write-machine.ts";
import {
  holdDirectoryToOptions,
  holdMachineToOptions,
  holdToOptions,
} from "#provisioner/nixos-options/rendered.ts";

/** The program as it stands in the source tree. */
export const entry = path.join(import.meta.dirname, "main.ts");

/**
 * Runs one command line to its end. What it has rendered, on its machine, in a directory or on
 * standard output, is held against the options of NixOS: throws where one of them is none.
 */
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
  const behind = (flag: string) => (args.includes(flag) ? args[args.indexOf(flag) + 1] : undefined);
  const [root, out, format] = ["--root", "--out", "--format"].map(behind);
  // A boot that came to a system, also one that was taken back.
  if ([0, 2, 3].includes(status ?? -1) && root !== undefined) holdMachineToOptions(root);
  if (status === 0 && out !== undefined) holdDirectoryToOptions(out);
  if (status === 0 && format === "nix") {
    holdToOptions([{ path: "firstlight/instance.nix", content: stdout }]);
  }
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
