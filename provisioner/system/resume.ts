import { readActivation } from "./activation.ts";
import type { Attempt } from "./journal-record.ts";
import type { Trial } from "./system.ts";
import type { OpenAttempt, Tried, Trying, Waiting } from "./transaction-state.ts";
import { armIntent, type Change, step } from "./work.ts";

/**
 * Goes on with a trial in the boot that the machine was restarted into, once the timer is armed that
 * restarts it again, into the boot default, if nobody commits.
 */
export async function resumeBooted(change: Change, open: Waiting): Promise<Trial> {
  const { machine, settings, commands } = change;
  const { txn, attempt } = open;
  const renews = mayRenew(change, open);
  const { closure, previous, planDigest, wayBackMs } = attempt;
  const { toplevel, sourcesDigest } = closure;
  return step(change, { txn, name: "resume", intent: { toplevel } }, async () => {
    if (settings.systemd) {
      const intent = armIntent(change, wayBackMs);
      await step(change, { txn, name: "arm", intent }, async () => {
        await commands.armRestart({ txn, afterMs: wayBackMs, renews });
        return null;
      });
    }
    return {
      transaction: txn,
      toplevel,
      previous: previous.toplevel,
      sourcesDigest,
      bootId: machine.bootId,
      planDigest,
      activation: "switched",
      exitCode: null,
      message: null,
    };
  });
}

/**
 * Goes on with a trial whose judge has died: what was tried still runs, in the same boot, and its way
 * back is still armed; the timer starts anew, as {@link mayRenew} lets it. `undefined` where it cannot
 * go on.
 */
export async function reattachTried(change: Change, open: Tried): Promise<Trial | undefined> {
  if (!(await isHeld(change, open))) return undefined;
  if (open.trial.activation === "degraded") await change.commands.forgetSwitch(open.txn);
  return open.trial;
}

/**
 * Waits for the activation that the firstlight of before began, and goes on with what it came to.
 * `undefined` where it never began, or did not lead to the system, or has no way back any more.
 */
export async function reattachTrying(change: Change, open: Trying): Promise<Trial | undefined> {
  const { commands, machine, settings, journal } = change;
  const { txn, attempt, touched } = open;
  const { toplevel } = attempt.closure;
  // Without systemd the activation was a child of the process that has died.
  if (!settings.systemd || !touched) return undefined;
  const end = open.activation === undefined ? await commands.endOfSwitch(txn) : undefined;
  const after = machine.running();
  if (after !== toplevel || !(await isHeld(change, open))) return undefined;
  const activation =
    open.activation ??
    (end === undefined
      ? ({ end: "switched", exitCode: 0, message: null, touched: true } as const)
      : readActivation(end, { toplevel, before: attempt.previous.toplevel, after }));
  if (open.activation === undefined) {
    journal.result(txn, "activate", { ok: true, value: activation });
  }
  if (activation.exitCode !== 0) await commands.forgetSwitch(txn);
  const trial = trialOf(attempt, { ...activation, bootId: machine.bootId });
  journal.result(txn, "try", { ok: true, value: trial });
  return trial;
}

function trialOf(
  { closure, previous, planDigest }: Attempt,
  {
    end,
    exitCode,
    message,
    bootId,
  }: Pick<Trial, "exitCode" | "message" | "bootId"> & {
    readonly end: "switched" | "degraded" | "refused";
  },
): Trial {
  const { transaction, toplevel, sourcesDigest } = closure;
  const head = { transaction, toplevel, previous: previous.toplevel, sourcesDigest };
  return { ...head, bootId, planDigest, activation: end, exitCode, message };
}

/** Whether what is tried runs, and still has its way back: a timer, or, without systemd, a restart. */
async function isHeld(change: Change, open: Tried | Trying): Promise<boolean> {
  const { machine, settings, commands } = change;
  const { txn, attempt, bootId } = open;
  if (bootId !== machine.bootId || machine.running() !== attempt.closure.toplevel) return false;
  if (!settings.systemd) return attempt.once !== null;
  return commands.holdWayBack({ txn, renews: mayRenew(change, open) });
}

/**
 * Whether the time of the way back may begin anew: only within that time of its first arming in this
 * boot. So a firstlight that dies again and again keeps a system on trial for twice that time at most.
 */
function mayRenew({ machine, io }: Change, { attempt, armed }: OpenAttempt): boolean {
  if (armed?.bootId !== machine.bootId) return true;
  const { at, upMs } = armed;
  const now = io.clock.now();
  // The time of day may have been set since, but an earlier version has written nothing else down.
  const agoMs = upMs === undefined ? Math.abs(now - Date.parse(at)) : io.clock.monotonicMs() - upMs;
  return agoMs < attempt.wayBackMs;
}
