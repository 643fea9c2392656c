import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** For tests: a program in `DIRECTORY/bin` that notes its process id and then does what the shell is told. */
export function writeTool(directory: string, name: string, script: string): void {
  for (const place of ["bin", "pids"]) mkdirSync(path.join(directory, place), { recursive: true });
  const file = path.join(directory, "bin", name);
  writeFileSync(file, `#!/bin/sh\necho $$ > ${directory}/pids/${name}\n${script}\n`);
  chmodSync(file, 0o755);
}

/** Whether a tool was started at all. */
export function wasStarted(directory: string, name: string): boolean {
  return existsSync(path.join(directory, "pids", name));
}

/** Waits until a tool that was started has ended; one that nobody has collected yet has ended too. */
export async function isGone(directory: string, name: string): Promise<boolean> {
  const pid = Number(readFileSync(path.join(directory, "pids", name), "utf8"));
  for (let attempt = 0; attempt < 100; attempt++) {
    const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : "";
    if (stat === "" || /\) Z /.test(stat)) return true;
    await delay(50);
  }
  return false;
}
