import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { hostIo } from "#core/host-io.ts";
import type { Io } from "#core/io.ts";
import type { Machine } from "#integration/machines/machine.ts";
import { writeMachine } from "#integration/machines/write-machine.ts";
import { median, ninth } from "./measure.ts";

/** Wall milliseconds of a work on a machine, inside of one process. */
export interface InProcess {
  readonly medianMs: number;
  readonly p90Ms: number;
  readonly firstMs: number;
}

/** Does the work again and again. */
export async function measureInProcess(
  machine: Machine,
  rounds: number,
  work: (io: Io) => unknown,
): Promise<InProcess> {
  const root = mkdtempSync(path.join(tmpdir(), "firstlight-bench-"));
  try {
    writeMachine(root, machine);
    const io = hostIo({ root });
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      // Each in a turn of its own: what one has seen of the directories is no help to the next.
      await new Promise(setImmediate);
      const started = performance.now();
      await work(io);
      times.push(performance.now() - started);
    }
    return { medianMs: median(times), p90Ms: ninth(times), firstMs: times[0] ?? Number.NaN };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
