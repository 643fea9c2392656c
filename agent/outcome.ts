import type { Code } from "#core/codes.ts";
import type { FaultRecord } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { Confidence } from "#provisioner/profiles/profile.ts";
import type { Verdict } from "#provisioner/system/system.ts";

/** How a boot or an apply ended. */
export type OutcomeKind =
  /** The system was already what it should be. */
  | "unchanged"
  /** A new generation runs and is the boot default. */
  | "committed"
  /** A new generation was tried, was not healthy, and the one before runs again. */
  | "rolled-back"
  /** The machine is to be restarted: into a trial that takes it, or back from one. */
  | "rebooting"
  /** The policy says to wait for a person. */
  | "held"
  /** The policy refuses the change, or it is not the one that a person approved. */
  | "refused"
  /** The input is wrong; nothing was changed. */
  | "invalid"
  /** Something else went wrong; nothing was changed. */
  | "failed"
  /** There is nothing to do: firstlight is switched off on this machine, or there is no datasource. */
  | "disabled";

/** Time of one stage of a boot. */
export interface StageTime {
  readonly stage: string;
  readonly ms: number;
}

/** What a boot did: plain JSON, without a secret in it. Also `/run/firstlight/result.json`. */
export interface Outcome {
  readonly v: 1;
  readonly outcome: OutcomeKind;
  /** Committed or unchanged, but something that was asked for was not done. */
  readonly degraded: boolean;
  /** For a person, one sentence. */
  readonly message: string;
  readonly bootId: string;
  readonly instanceId: string | null;
  readonly datasource: string | null;
  readonly profile: string | null;
  /** How sure the profile is. */
  readonly confidence: Confidence | null;
  readonly generation: number | null;
  readonly toplevel: string | null;
  /** Of the sources of the system that runs; `null` where that is not known. */
  readonly sourcesDigest: string | null;
  readonly verdict: Verdict | null;
  readonly findings: readonly Finding[];
  readonly fault: FaultRecord | null;
  /** Whether the machine is to be restarted now. */
  readonly restart: boolean;
  /** Whether the boot default has been booted and was well then; `null` where nobody knows. */
  readonly bootProved: boolean | null;
  /**
   * The trial that had ended last when this was written; `null` where none had, or nobody knows. Where
   * the journal knows of a later one, this is not how the node stands.
   */
  readonly lastTrial: string | null;
  /** When what was asked for is tried again by itself; `null` where a boot is needed, or nothing is left to try. */
  readonly triedAgainAt: string | null;
  readonly stages: readonly StageTime[];
  readonly startedAt: string;
  readonly finishedAt: string;
}

/** Exit codes of every command. */
export const exitCodes = {
  done: 0,
  error: 1,
  degraded: 2,
  rolledBack: 3,
  invalidInput: 4,
  tryAgain: 75,
  refused: 77,
} as const;

/** Time, or another process, may heal these. */
const passing: readonly Code[] = [
  "system/locked",
  "system/repair-busy",
  "system/fetch-failed",
  "system/closure-not-found",
  "base/git-unreachable",
  "datasource/none",
  "datasource/unreachable",
  "datasource/refused",
  "exec/timeout",
  "link/unreachable",
  "enroll/busy",
  "enroll/pending",
  "enroll/unreachable",
  "cli/interrupted",
];

/** The policy's, or a person's, word against it. */
const refusals: readonly Code[] = [
  "base/git-signature",
  "system/closure-untrusted",
  "system/plan-stale",
  "system/reboot-impossible",
  "system/reboot-refused",
  "system/release-denied",
  "system/release-looping",
  "system/switch-inhibited",
  "signing/unconfirmed",
  "enroll/cloned",
  "enroll/contested",
  "enroll/denied",
  "enroll/document-invalid",
  "enroll/document-stale",
  "enroll/expired-long-ago",
  "enroll/foreign",
  "enroll/instance-used",
  "enroll/key-unknown",
  "enroll/no-claim",
  "enroll/node-taken",
  "enroll/revoked",
  "enroll/token-expired",
  "enroll/token-invalid",
  "enroll/token-other",
  "enroll/token-unknown",
  "enroll/token-used",
  "enroll/untrusted",
  "enroll/way-closed",
  "policy/held",
  "policy/left-alone",
  "policy/signature-required",
];

/** Of an installation: what was written wrong, where all else is a disk that is not taken. */
function isInstallInput(code: Code): boolean {
  return /^install\/(layout|nothing-to-keep|plan-invalid|seed-secrets|no-such-disk|name-not-stable|not-a-disk|boot-area|disk-count|passphrase|no-passphrase)$/.test(
    code,
  );
}

/** The exit code that tells a fault to a script. */
export function exitCodeOfFault({ code }: Pick<FaultRecord, "code">): number {
  if (refusals.includes(code)) return exitCodes.refused;
  if (passing.includes(code)) return exitCodes.tryAgain;
  if (/^install\/(?!witness-missing|step-failed)/.test(code) && !isInstallInput(code))
    return exitCodes.refused;
  const isInput =
    /^(cli\/usage|cli\/bad-input|datasource\/|spec\/|user-data\/|cloud-config\/|network\/|yaml\/|settings\/|profile\/|facts\/|selector\/|rollout\/invalid|enroll\/(?:settings-invalid|code-unknown|node-unknown)|signing\/(?:no-repository|key-unknown|release-invalid|release-unknown|node-unknown|quorum))/.test(
      code,
    );
  return isInput || isInstallInput(code) ? exitCodes.invalidInput : exitCodes.error;
}

/** The exit code that tells an outcome to a script. */
export function exitCodeOf(outcome: Pick<Outcome, "outcome" | "degraded" | "fault">): number {
  switch (outcome.outcome) {
    case "unchanged":
    case "committed":
      return outcome.degraded ? exitCodes.degraded : exitCodes.done;
    case "disabled":
      return exitCodes.done;
    case "rolled-back":
      return exitCodes.rolledBack;
    case "rebooting":
      return exitCodes.tryAgain;
    case "held":
    case "refused":
      return exitCodes.refused;
    case "invalid":
      return exitCodes.invalidInput;
    case "failed":
      return outcome.fault === null ? exitCodes.error : exitCodeOfFault(outcome.fault);
  }
}
