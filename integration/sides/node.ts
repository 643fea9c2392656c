import { type RootSide, startRootSide } from "../root-side.ts";
import type { Run, Seed, StoryNode } from "../story.ts";
import { cloudConfig } from "../story-documents.ts";

/** A seed whose system is told apart by its motd, and is healthy when that is there. */
export function seedWith(motd: string): Seed {
  return {
    instanceId: "i-1",
    userData: cloudConfig({ motd, checks: [{ type: "file", path: "/etc/motd" }] }),
  };
}

/** A root side on a node, which stays until it is told to end. */
export function rootSideOf(
  t: { teardown(close: () => unknown): unknown },
  { machine }: StoryNode,
  env: Readonly<Record<string, string>> = {},
): Promise<RootSide> {
  const { root, command } = machine;
  const place = { root, env: { ...machine.env, ...env }, command };
  return startRootSide(t, place, ["--idle", "1h"]);
}

/** What to read when a run was not as expected. */
export function summary({ code, stdout, stderr }: Run): string {
  return `${code} ${stdout}${stderr}`;
}
