import { Fault, isFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import { backOffMs } from "../link/back-off.ts";
import type { EnrolOutcome } from "./enrol.ts";

/** How to go on until there is an answer that stays. */
export interface UntilEnrolledOptions {
  readonly io: Io;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** One try. */
  readonly attempt: () => Promise<EnrolOutcome>;
  /** So many failures in a row are waited out; all of them when absent. */
  readonly mostFailures?: number;
  /** Told once of each code that a person approves. */
  readonly onCode: (code: string) => void;
}

/** The answer that stays. */
export type EnrolEnd = Exclude<EnrolOutcome, { readonly kind: "pending" }>;

const bounds = { backOffFirstMs: 2_000, backOffMostMs: 600_000 };

/**
 * Tries until the node is enrolled or refused. Rejects with the signal's reason, and with the last of too
 * many failures.
 */
export async function untilEnrolled(options: UntilEnrolledOptions): Promise<EnrolEnd> {
  const { io, log, signal, attempt, onCode, mostFailures = Number.POSITIVE_INFINITY } = options;
  let told: string | undefined;
  for (let failures = 0; ; ) {
    signal.throwIfAborted();
    try {
      const outcome = await attempt();
      if (outcome.kind !== "pending") return outcome;
      failures = 0;
      if (told !== outcome.code) onCode(outcome.code);
      told = outcome.code;
      await io.clock.sleep(outcome.retryMs, signal);
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error;
      failures += 1;
      if (failures >= mostFailures) throw error;
      const waitMs = backOffMs(failures, bounds, io.random);
      const { code, message } = error;
      log.warning("enroll.later", { code, message, failures, waitMs });
      await io.clock.sleep(waitMs, signal);
    }
  }
}

/** A server that is away, is being set up, or has a certificate that a clock will make good. */
function isPassing(error: unknown): error is Fault {
  return ["enroll/unreachable", "enroll/untrusted", "enroll/malformed", "enroll/too-large"].some(
    (code) => error instanceof Fault && isFault(error) && error.code === code,
  );
}
