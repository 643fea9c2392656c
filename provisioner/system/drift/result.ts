import type { Work } from "../work.ts";
import type { Declared, DriftItem } from "./report.ts";

/**
 * Whether the sources still evaluate to the system that was built from them: they do as long as
 * sources and pins are what they were. Takes as long and as much memory as any evaluation. Throws
 * `system/evaluation-failed`.
 */
export async function resultItems(
  { io, paths, commands }: Work,
  { sourcesDigest, toplevel, at, by }: Declared,
): Promise<readonly DriftItem[]> {
  if (sourcesDigest === null) return [];
  const directory = `${paths.sources}/${sourcesDigest}`;
  const nixpkgs = pinnedNixpkgs(io.files.readText(`${directory}/firstlight/pins.json`));
  const evaluated = await commands.evaluatesTo({ sourcesDigest, nixpkgs });
  if (evaluated === toplevel) return [];
  return [
    {
      layer: "result",
      kind: "result-differs",
      subject: directory,
      declared: toplevel,
      actual: evaluated,
      since: at,
      by,
      level: "warning",
      remedy: "apply",
    },
  ];
}

/** The store path of nixpkgs that the sources were evaluated with; `null` for the environment's. */
function pinnedNixpkgs(text: string | undefined): string | null {
  try {
    const pins = JSON.parse(text ?? "{}") as {
      readonly nixpkgs?: { readonly storePath?: unknown };
    };
    const path = pins.nixpkgs?.storePath;
    return typeof path === "string" ? path : null;
  } catch {
    return null;
  }
}
