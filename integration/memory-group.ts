import { chmodSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import path from "node:path";

const base = "/sys/fs/cgroup";

/**
 * A stand-in for systemd-run on a host where systemd is not the init: it puts a program into a
 * control group of the kernel with the `MemoryMax` it is told, so that the kernel's own killer acts.
 */
export interface MemoryGroup {
  /** Directory with the stand-in; first on the PATH of who shall use it. */
  readonly programs: string;
  close(): void;
}

/** Why there can be none here, or `false`; for a test's `skip`. */
export function skipWithoutMemoryGroup(): string | false {
  if (process.env["CI"] === "true" || findHierarchy() !== undefined) return false;
  return "SKIPPED: needs root and a control group hierarchy with the memory controller";
}

/** Makes the group; `directory` is an empty one for its program. */
export function memoryGroup(directory: string): MemoryGroup {
  const found = findHierarchy();
  if (found === undefined) throw new Error("memory-group: this host has no memory controller");
  const group = path.join(found.directory, `firstlight-test-${process.pid}`);
  mkdirSync(group);
  mkdirSync(directory, { recursive: true });
  const script = `#!/bin/sh
limit=max
while :; do
  case $1 in
    --property=MemoryMax=*) limit=\${1#*=*=} ;;
    --*) ;;
    *) break ;;
  esac
  shift
done
echo "$limit" > '${group}/${found.limit}'
echo $$ > '${group}/cgroup.procs'
exec "$@"
`;
  const program = path.join(directory, "systemd-run");
  writeFileSync(program, script);
  chmodSync(program, 0o755);
  return { programs: directory, close: () => rmdirSync(group) };
}

function findHierarchy(): { readonly directory: string; readonly limit: string } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const old = path.join(base, "memory");
  if (existsSync(path.join(old, "memory.limit_in_bytes"))) {
    return { directory: old, limit: "memory.limit_in_bytes" };
  }
  const children = path.join(base, "cgroup.subtree_control");
  if (!existsSync(children) || !readFileSync(children, "utf8").includes("memory")) return undefined;
  return { directory: base, limit: "memory.max" };
}
