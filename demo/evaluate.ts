import { spawnSync } from "node:child_process";
import path from "node:path";

const standIn = path.join(import.meta.dirname, "../integration/nixpkgs");
const timeoutMs = 60_000;

/** What real Nix says to a rendered configuration; `undefined` where there is no Nix. */
export function evaluate(
  root: string,
): { readonly ok: boolean; readonly text: string } | undefined {
  const configuration = path.join(root, "etc/nixos/configuration.nix");
  const args = [
    "--eval",
    "--json",
    "--readonly-mode",
    "--store",
    "dummy://",
    "<nixpkgs/nixos>",
    "-A",
    "config.networking.hostName",
  ];
  const env = { ...process.env, NIX_PATH: `nixpkgs=${standIn}:nixos-config=${configuration}` };
  const { error, status, stdout, stderr } = spawnSync("nix-instantiate", args, {
    env,
    timeout: timeoutMs,
    encoding: "utf8",
  });
  if (error !== undefined) return undefined;
  return status === 0 ? { ok: true, text: stdout.trim() } : { ok: false, text: stderr.trim() };
}
