import type { Files, Io } from "#core/io.ts";
import type { SystemPaths } from "./paths.ts";

/**
 * Who runs the builders: this program's own Nix, as its children, or the daemon in its own unit, or
 * another machine. Only children are within the limits of our scope.
 */
export type Builders = "children" | "daemon" | "elsewhere";

/** As Nix itself chooses its store: what `NIX_REMOTE` says, else the daemon where we may not write. */
export function findBuilders(
  env: Io["env"],
  storeFiles: Files,
  { profiles }: SystemPaths,
): Builders {
  const state = profiles.slice(0, profiles.lastIndexOf("/"));
  const remote = env["NIX_REMOTE"] ?? "";
  if (/^(daemon$|unix:)/.test(remote)) return "daemon";
  if (/^[a-z][a-z0-9+-]*:\/\//.test(remote) && !remote.startsWith("local:")) return "elsewhere";
  if (remote !== "" && remote !== "auto") return "children";
  if (storeFiles.canWrite(state)) return "children";
  return storeFiles.stat(`${state}/daemon-socket/socket`) === undefined ? "children" : "daemon";
}
