// Preloaded by `--import`: immediately before each effect of the program, which says its number on
// stderr where effects are counted, the directory COPY_FROM is copied to COPY_TO/NUMBER. That is what
// a kill there leaves behind.
import { spawnSync } from "node:child_process";
import path from "node:path";

const { COPY_FROM: from, COPY_TO: to } = process.env;
if (from !== undefined && to !== undefined) {
  const write = process.stderr.write.bind(process.stderr);
  process.stderr.write = ((...args: Parameters<typeof write>) => {
    const [, number] = /^effect ([0-9]+) /.exec(String(args[0])) ?? [];
    if (number !== undefined) copy(from, path.join(to, number));
    return write(...args);
  }) as typeof write;
}

function copy(directory: string, place: string): void {
  const { status } = spawnSync("cp", ["-a", "--", directory, place]);
  if (status !== 0) throw new Error(`${directory} could not be copied to ${place}`);
}
