import { type BootStart, boot } from "#agent/boot.ts";
import { readFacts } from "#agent/facts/read-facts.ts";
import type { Outcome } from "#agent/outcome.ts";
import { readSettings } from "#agent/settings.ts";
import {
  recallUnchanged,
  rememberUnchanged,
  type UnchangedInputs,
} from "#agent/unchanged-inputs.ts";
import type { FollowedBoot } from "#agent/update/follow-boot.ts";
import { committedFile, stagedFile } from "#agent/update/places.ts";
import { isFault } from "#core/fault.ts";
import { createLog, type LogRecord } from "#core/log.ts";
import { traceIo } from "#core/traced-io.ts";
import { programDigest } from "./assets.ts";
import type { Invocation } from "./command.ts";
import { findContent } from "./node.ts";
import type { Found, MadeFrom, NodeOptions } from "./node-deps.ts";
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
  const { system, release } = await followed(invocation, options);
  try {
    return await bootOn(invocation, { ...options, system });
  } finally {
    release();
  }
}

async function bootOn(invocation: Invocation, options: BootOptions): Promise<Outcome> {
  const { io, log } = invocation;
  const { report, ...node } = options;
  const program = programDigest();
  const trace = traceIo(io);
  let from: MadeFrom | undefined;
  let found: Found | undefined;
  const outcome = await boot({
    ...{ io, log, report, version, by: node.by, system: node.system },
    recallUnchanged: async () =>
      program === undefined || node.approved || node.release !== undefined
        ? undefined
        : recall(invocation, program, (what) => {
            found = what;
          }),
    async makeSystem(way, recovery) {
      const { makeNode } = await import("./node-deps.ts");
      const made = await makeNode({ invocation, trace, options: node, found }, way, recovery);
      from = made.from;
      return made.end;
    },
  });
  const answered = trace.trace();
  if (program !== undefined && from !== undefined && answered !== undefined)
    remember(invocation, outcome, { program, ...from, trace: answered });
  return outcome;
}

/** With a system that tells the update of a trial that was begun for it; of an update's own run it does already. */
async function followed(
  { io, log }: Invocation,
  { by, system }: Pick<BootOptions, "by" | "system">,
): Promise<FollowedBoot> {
  const isOwn = by === "update" || io.files.stat(stagedFile) === undefined;
  if (isOwn) return { system, release: () => {} };
  return (await import("#agent/update/follow-boot.ts")).followBoot({ io, log }, system);
}

/** What it finds is handed to `keep`: a service that took its time, or failed, is not asked again. */
async function recall(
  invocation: Invocation,
  program: string,
  keep: (found: Found) => void,
): Promise<UnchangedInputs | undefined> {
  const { io } = invocation;
  const said: LogRecord[] = [];
  const broken: string[] = [];
  const log = createLog(io.clock, (record) => said.push(record));
  return recallUnchanged(io, {
    program,
    async discover() {
      const settings = await readSettings(io.files);
      const content = findContent({ ...invocation, log }, settings, {
        broken: (datasource) => void broken.push(datasource),
      });
      keep({ content, said, broken });
      const found = await content;
      if (io.files.stat(committedFile) === undefined) return found;
      return (await import("./released.ts")).releasedContent(io, found);
    },
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
