// Preloaded by `--import`: writes down every process that the program starts, with its arguments and
// its environment, one JSON line each, into the file that RECORD_PROCESSES names.
import { ChildProcess } from "node:child_process";
import { appendFileSync } from "node:fs";

/** A process as it was started. */
export interface StartedProcess {
  readonly argv: readonly string[];
  /** `NAME=value`, as the kernel hands it over. */
  readonly env: readonly string[];
}

/** What every asynchronous way to start a process ends in; Node does not tell its type. */
interface Spawner {
  spawn(options: { readonly args?: string[]; readonly envPairs?: string[] }): number;
}

const file = process.env["RECORD_PROCESSES"];
if (file !== undefined) {
  const prototype = ChildProcess.prototype as unknown as Spawner;
  const { spawn } = prototype;
  prototype.spawn = function (options) {
    const started: StartedProcess = { argv: options.args ?? [], env: options.envPairs ?? [] };
    appendFileSync(file, `${JSON.stringify(started)}\n`);
    return spawn.call(this, options);
  };
}
