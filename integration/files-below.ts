import { readdirSync } from "node:fs";
import path from "node:path";

/** Every plain file below a directory, links not followed: a machine's /sys is full of circles. */
export function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(directory, entry.name);
    if (entry.isDirectory()) return filesBelow(full);
    return entry.isFile() ? [full] : [];
  });
}
