import { readdirSync, readFileSync } from "node:fs";

/**
 * Kills a process and everything that descends from it, also what has left its group or session (a
 * builder of Nix has one of its own). Each is stopped before its children are looked for, so that
 * none can make another meanwhile. What was orphaned before is not found.
 */
export function killTree(pid: number): void {
  const found = new Set<number>();
  let next: readonly number[] = [pid];
  while (next.length > 0) {
    for (const each of next) {
      found.add(each);
      send(each, "SIGSTOP");
    }
    const parents = parentsOfAll();
    next = [...parents].flatMap(([child, parent]) =>
      found.has(parent) && !found.has(child) ? [child] : [],
    );
  }
  for (const each of found) send(each, "SIGKILL");
}

/** The parent of every process; empty where there is no /proc. */
function parentsOfAll(): ReadonlyMap<number, number> {
  const parents = new Map<number, number>();
  for (const name of namesIn("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    // The second field is the name in parentheses and may hold anything; the parent is the fourth.
    const fields = textOf(`/proc/${name}/stat`)
      ?.replace(/^.*\) /s, "")
      .split(" ");
    const parent = Number(fields?.[1]);
    if (Number.isInteger(parent)) parents.set(pid, parent);
  }
  return parents;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined; // it has ended meanwhile
  }
}
