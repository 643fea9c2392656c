import { type BootStart, boot } from "#agent/boot.ts";
import { readFacts } from "#agent/facts/read-facts.ts";
import type { Outcome } from "#agent/outcome.ts";
import { readSettings } from "#agent/settings.ts";
import {
  recallUnchanged,
  rememberUnchanged,
  type UnchangedInputs,
} from "#agent/unchanged-inputs.ts";
import { isFault } from "#core/fault.ts";
import { silentLog } from "#core/log.ts";
import { traceIo } from "#core/traced-io.ts";
import { programDigest } from "./assets.ts";
import type { Invocation } from "./command.ts";
import { findContent } from "./node.ts";
import type { MadeFrom, NodeOptions } from "./node-deps.ts";
import { version } from "./version.ts";

/** Who asks, and where the events go. */
export interface BootOptions extends NodeOptions {
  readonly report: BootStart["report"];
}

/**
 * Boots this machine. What a system is made from, and with it the greater part of this program, is
 * loaded only where an input differs from those of the last boot, or where a person asks.
 */
export async function bootMachine(invocation: Invocation, options: BootOptions): Promise<Outcome> {
  const { io, log } = invocation;
  const { report, ...node } = options;
  const program = programDigest();
  const trace = traceIo(io);
  let from: MadeFrom | undefined;
  const outcome = await boot({
    ...{ io, log, report, version, by: node.by, system: node.system },
    recallUnchanged: async () =>
      program === undefined || node.approved ? undefined : recall(invocation, program),
    async makeSystem(way, recovery) {
      const { makeNode } = await import("./node-deps.ts");
      const made = await makeNode({ invocation, trace, options: node }, way, recovery);
      from = made.from;
      return made.end;
    },
  });
  const answered = trace.trace();
  if (program !== undefined && from !== undefined && answered !== undefined)
    remember(invocation, outcome, { program, ...from, trace: answered });
  return outcome;
}

async function recall(
  invocation: Invocation,
  program: string,
): Promise<UnchangedInputs | undefined> {
  const { io } = invocation;
  const quiet = { ...invocation, log: silentLog };
  return recallUnchanged(io, {
    program,
    discover: async () => findContent(quiet, await readSettings(io.files)),
    readFacts: () => readFacts(io),
  });
}

/** Where it cannot be written, the next boot takes the long way again. */
function remember(
  { io, log }: Invocation,
  { outcome, profile, confidence, findings, sourcesDigest }: Outcome,
  inputs: Parameters<typeof rememberUnchanged>[1],
): void {
  if (outcome !== "unchanged" || sourcesDigest === null) return;
  try {
    rememberUnchanged(io, inputs, { seen: { profile, confidence, findings }, sourcesDigest });
  } catch (error) {
    if (!isFault(error, "io/write-failed")) throw error;
    log.warning("inputs.unwritten", { message: error.message });
  }
}
