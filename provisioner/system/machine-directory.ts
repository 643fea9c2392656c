import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** In memory where there is some: thousands of machines, each file of theirs written for good. */
const place = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** An empty directory for a machine of a test, which removes it. */
export function machineDirectory(name: string): string {
  return mkdtempSync(path.join(place, `firstlight-${name}-`));
}
