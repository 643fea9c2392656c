import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { readFacts } from "#agent/facts/read-facts.ts";
import { hostIo } from "#core/host-io.ts";
import { framework13Amd7040 } from "#integration/machines/framework-13-amd-7040.ts";
import { writeMachine } from "#integration/machines/write-machine.ts";
import { median, ninth } from "./measure.ts";

/** Wall milliseconds of reading everything that a machine is, inside of one process. */
export async function measureFacts(rounds: number): Promise<{
  readonly medianMs: number;
  readonly p90Ms: number;
  readonly firstMs: number;
}> {
  const root = mkdtempSync(path.join(tmpdir(), "firstlight-bench-"));
  try {
    writeMachine(root, framework13Amd7040);
    const io = hostIo({ root });
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      // Each in a turn of its own: what one has seen of the directories is no help to the next.
      await new Promise(setImmediate);
      const started = performance.now();
      readFacts(io);
      times.push(performance.now() - started);
    }
    return { medianMs: median(times), p90Ms: ninth(times), firstMs: times[0] ?? Number.NaN };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
