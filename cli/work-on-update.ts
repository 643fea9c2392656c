import { readFacts } from "#agent/facts/read-facts.ts";
import { exitCodes, type Outcome } from "#agent/outcome.ts";
import { platformName } from "#agent/platform-name.ts";
import { readSettings } from "#agent/settings.ts";
import { parseRelease } from "#agent/update/assignment.ts";
import { shareOf } from "#agent/update/progress.ts";
import { type Make, runUpdate, type UpdateRun } from "#agent/update/run-update.ts";
import { tellFreshness } from "#agent/update/tell-freshness.ts";
import { isClockTrusted } from "#agent/update/timing.ts";
import { openTracker } from "#agent/update/tracker.ts";
import { verifyAssigned } from "#agent/update/verify-assigned.ts";
import { describeFault } from "#core/fault.ts";
import type { Assignment } from "#protocol/trust/assignment.ts";
import { matchProfile } from "#provisioner/profiles/match.ts";
import type { SystemEvent } from "#provisioner/system/system.ts";
import { profilesOf } from "./assets.ts";
import { bootMachine } from "./boot-machine.ts";
import type { Invocation } from "./command.ts";
import { downloadCourier } from "./courier.ts";
import { openSystem } from "./node.ts";
import { bootOutbox } from "./outbox.ts";
import { mirrorsFor } from "./update-mirrors.ts";
import { version } from "./version.ts";

/** How often it is looked whether what is being made is wanted still. */
const lookMs = 1_000;

/** How far an update came in this run, and what ends it. */
export interface Worked {
  readonly run: UpdateRun;
  /** Restarts the machine where the outcome asks for it; the exit code. */
  end(): Promise<number>;
}

/** Works on the update of this machine until it is over or waits. Throws `system/locked`. */
export async function workOnUpdate(invocation: Invocation): Promise<Worked> {
  const { io, log, signal } = invocation;
  const settings = await readSettings(io.files);
  const tracker = openTracker(io, log);
  try {
    const rootFile = settings.fleet?.root;
    tellFreshness(io, log, { rootFile, clockTrusted: await isClockTrusted(io) });
    const onEvent = (event: SystemEvent) => {
      const share = shareOf(event);
      if (share !== undefined) tracker.progress(share);
    };
    const system = await openSystem(invocation, { onEvent });
    const mirrors = mirrorsFor(io, settings);
    const bring = async (assignment: Assignment) => {
      const { bringDocument } = await import("#agent/update/bring.ts");
      const courier = downloadCourier(io, settings);
      const deps = { io, log, settings, courier, mirrors: mirrors(assignment), signal };
      return bringDocument(deps, assignment.release);
    };
    const make: Make = async ({ system: followed, release, assignment }) => {
      const { closure } = await parseRelease(release.document, release.release.path);
      const closures = assignment?.closures ?? [];
      const places =
        assignment === undefined ? (settings.fleet?.mirrors ?? []) : mirrors(assignment);
      const outbox = bootOutbox(invocation, followed);
      const outcome = await bootMachine(invocation, {
        ...{ by: "update", approved: false, system: followed, release, report: outbox.report },
        closures: { closures, own: closure, mirrors: places },
      });
      await outbox.flush();
      return outcome;
    };
    const run = await runUpdate({
      ...{ io, log, settings, system, tracker, make, bring, signal },
      onChange(look) {
        const timer = setInterval(look, lookMs).unref();
        return () => clearInterval(timer);
      },
      verify: (assigned) => verifyAssigned(assigned, { io, settings }),
      nodeKind: async () => ({
        agent: version,
        platform: platformName(),
        profile: matchProfile(readFacts(io), await profilesOf(io.files, settings)).profile,
      }),
    });
    const end = async (): Promise<number> => {
      if (!run.restart) return codeOf(run);
      const { restartMachine } = await import("./restart.ts");
      return (await restartMachine(invocation, system)) ?? exitCodes.tryAgain;
    };
    return { run, end };
  } finally {
    tracker.release();
  }
}

function codeOf({ update, waits, outcome }: UpdateRun): number {
  if (waits !== undefined) return exitCodes.done;
  switch (update.state) {
    case "SUCCEEDED":
      return isDegraded(outcome) ? exitCodes.degraded : exitCodes.done;
    case "ROLLED_BACK":
    case "ROLLBACK_FAILED":
      return exitCodes.rolledBack;
    case "REJECTED":
      return exitCodes.refused;
    case "FAILED":
      return exitCodes.error;
    default:
      return exitCodes.done;
  }
}

function isDegraded(outcome: Outcome | undefined): boolean {
  return outcome?.degraded === true;
}

/** systemd's timer by which an update that waits for a time is gone on with, and what it starts. */
const timer = "firstlight-update-again";
const unit = "firstlight-update.service";

/**
 * Has systemd start the unit again after a time; gives back whether it will. Without systemd, or the module's
 * units, whoever started this starts it again.
 */
export async function startAgain({ io, log }: Invocation, afterMs: number): Promise<boolean> {
  if (io.files.stat(`/etc/systemd/system/${unit}`) === undefined) return false;
  const stop = { file: "systemctl", args: ["stop", `${timer}.timer`], timeoutMs: 60_000 };
  const arm = [
    ...["--collect", "--quiet", "--no-ask-password", `--unit=${timer}`],
    ...[
      `--on-active=${Math.max(1, Math.ceil(afterMs / 1000))}s`,
      "--timer-property=AccuracySec=1s",
    ],
    ...["systemctl", "start", "--no-block", unit],
  ];
  try {
    await io.exec({ ...stop, effect: "stop the timer of the update" });
    const effect = "arm the timer of the update";
    const { code } = await io.exec({ file: "systemd-run", args: arm, timeoutMs: 60_000, effect });
    return code === 0;
  } catch (error) {
    const { code, message } = describeFault(error);
    log.warning("update.not-again", { code, message });
    return false;
  }
}
