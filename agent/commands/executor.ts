import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import type { Command } from "#protocol/trust/command.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import type { DriftReport } from "#provisioner/system/drift/report.ts";
import type { GenerationRecord } from "#provisioner/system/system.ts";
import type { Outcome } from "../outcome.ts";
import type { CommandNote, CommandResult } from "./command-work.ts";

/** What commands are carried out with; the command line builds it. */
export interface CommandDeps {
  readonly io: Io;
  readonly log: Log;
  readonly system: SystemClient;
  /** Version of this program. */
  readonly version: string;
  /** Sends the update to look at what is assigned. Must not wait for it. */
  readonly startUpdate: () => Promise<void>;
  /** Throws where the owners do not allow the release of a generation any more. */
  readonly checkRelease: (generation: Pick<GenerationRecord, "toplevel" | "sourcesDigest">) => void;
  /** Through a trial; what the outcome asks for next is for the caller. */
  readonly rollBack: (generation: number) => Promise<Outcome>;
  /** Looks for drift once and tells what is new; mends nothing. */
  readonly lookForDrift: (deep: boolean) => Promise<DriftReport>;
  /** The credential that the node reports with; `undefined` on a node that was never enrolled. */
  readonly credential: () => string | undefined;
  /** Has another credential made. Throws `enroll/…`. */
  readonly renew: () => Promise<{ readonly fingerprint: string; readonly untilMs: number }>;
  /** What a bundle holds, by name; no secret in it. */
  readonly diagnostics: () => Promise<Readonly<Record<string, unknown>>>;
  /** Hosts, with a port where it is not 443, that a bundle may be sent to; the settings name them. */
  readonly uploadHosts: readonly string[];
  /** Sends a text to an address that was signed. */
  readonly upload: (url: string, text: string) => Promise<void>;
  readonly signal?: AbortSignal;
}

/** A command on its way. */
export interface Order {
  readonly command: Command;
  /** What {@link Executor.prepare} said. */
  readonly note: CommandNote;
}

/** The machine goes down first, and whoever starts after it goes on. */
export const afterRestart = "after a restart";

/**
 * One name of the closed list. What it does can be done again after a kill at any point, and comes to the
 * same: it looks first at what is there already.
 */
export interface Executor {
  /** Whether it is answered beside one that takes long. */
  readonly isQuick: boolean;
  /** Arguments that it knows; a command with another one is answered with a fault. */
  readonly knows: readonly string[];
  /** What is to be known of it after a kill; changes nothing. Throws what is wrong with it. */
  prepare(command: Command, deps: CommandDeps): Promise<CommandNote>;
  /** Throws what it failed by; a fault that passes has it tried again. */
  carryOut(order: Order, deps: CommandDeps): Promise<CommandResult | typeof afterRestart>;
  /** Whether nothing of it was done, so that it may still expire: asked when the system was locked. */
  hasDoneNothing?(order: Order, deps: CommandDeps): Promise<boolean>;
}
