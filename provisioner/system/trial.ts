import { Fault } from "#core/fault.ts";
import { abandonBuild } from "./abandon.ts";
import { isNobodys } from "./activation.ts";
import { checkApproved } from "./approved-plan.ts";
import { firstBootAt } from "./first-boot.ts";
import { firstBootBack } from "./first-boot-back.ts";
import { runPreHooks } from "./hooks.ts";
import type { Attempt, SystemLink } from "./journal-record.ts";
import { checkPlan, runningNow } from "./plan.ts";
import { askSwitch, isUnasked, type Refusal, type SwitchWord } from "./pre-switch.ts";
import { prepareRestart } from "./prepare.ts";
import { checkSystem } from "./releases.ts";
import { rollBackOpen } from "./roll-back.ts";
import { takeUpFirstBoot } from "./settle-first-boot.ts";
import { switchAndRead } from "./switch.ts";
import type { Plan, Trial } from "./system.ts";
import { hasAttempt } from "./transaction-state.ts";
import { type TrialWay, trialWay } from "./trial-way.ts";
import {
  addRoots,
  armIntent,
  type Change,
  checkInStore,
  generationOf,
  openTransaction,
  step,
} from "./work.ts";

/** What is to be tried. */
export interface Tryable {
  readonly plan: Plan;
  /** What its judge needs; kept, and given back to whoever judges it. */
  readonly judging?: unknown;
  /** Digest of the plan that somebody approved. */
  readonly approved?: string;
}

/**
 * Activates a planned system without touching the boot default, the way back armed first: a power
 * cut boots the old system, and a timer activates it if nobody commits. An activation that ends
 * badly is a trial all the same (`refused`, `degraded`), for the judge to say so; a fault on the
 * way there is thrown after everything was taken back.
 * Where the change needs a restart of the machine, the trial waits for it (`waits-for-restart`), and
 * throws `system/reboot-refused`, `system/reboot-impossible` or `system/switch-inhibited` where there can
 * be none. What its own checks before a switch refuse is a trial that was `refused`, with nothing done;
 * where neither they nor the activation could be run at all that is `system/activation-failed`.
 * A system that failed in a boot of its own is `system/release-denied` for some time, unless a person asks for it.
 * With the digest of an approved plan anything that is not exactly as planned is `system/plan-stale`.
 */
export async function tryPlan(
  change: Change,
  { plan, judging = null, approved }: Tryable,
): Promise<Trial> {
  const { closure } = plan;
  const txn = closure.transaction;
  const open = openTransaction(change);
  if (hasAttempt(open) || (open.state !== "none" && open.txn !== txn)) {
    await abandonBuild(change, `the trial ${txn} was asked for`);
  }
  checkPlan(change, plan);
  const { journal, settings, io } = change;
  checkSystem(journal.ledger, closure, { limits: settings.limits, nowMs: io.clock.now() });
  checkInStore(change, closure.toplevel);
  if (approved !== undefined) await checkApproved(change, plan, approved);
  await runPreHooks(change, closure);
  checkPlan(change, plan); // the hooks took their time
  if (change.signal.aborted) throw new Fault("system/canceled", "the trial was called off");
  // Firstlight has come as far as to try another one; the one that is gone back to may still be needed for that.
  const isBack = firstBootAt(change)?.marks.proved === closure.toplevel;
  if (!isBack) await takeUpFirstBoot(change);
  const word = await askSwitch(change, closure.toplevel);
  checkPlan(change, plan); // so did the checks
  const way = await wayOf(change, plan, word);
  const profile = change.machine.profile();
  const attempt: Attempt = {
    closure,
    planDigest: plan.digest,
    previous: runningNow(change),
    profile,
    ...bootedBeside(change, profile),
    back: firstBootBack(change, closure.toplevel, change.journal.ledger),
    once: way.by === "restart" ? { loader: way.loader.name, why: plan.reboot.why } : null,
    wayBackMs: change.settings.wayBackMs,
    judging,
  };
  try {
    return way.by === "restart"
      ? await step(change, { txn, name: "prepare", intent: attempt }, () =>
          prepareRestart(change, { attempt, way }),
        )
      : await step(change, { txn, name: "try", intent: attempt }, () =>
          word.refusal === null
            ? activate(change, attempt, word)
            : Promise.resolve(refused(change, attempt, word.refusal)),
        );
  } catch (error) {
    if (!hasAttempt(openTransaction(change))) throw error; // not even the intent could be written
    const reason = error instanceof Fault ? `${error.code}: ${error.message}` : String(error);
    await rollBackOpen(change, {
      verdict: null,
      reasons: [`the trial failed: ${reason}`],
      blamed: false,
    });
    throw error;
  }
}

function bootedBeside(change: Change, { toplevel }: SystemLink): Pick<Attempt, "booted"> {
  const booted = change.machine.booted();
  if (booted === null || booted === toplevel) return {};
  return { booted: { toplevel: booted, generation: generationOf(change, booted) } };
}

/** What the system says itself comes before how it would be tried. */
async function wayOf(change: Change, { reboot }: Plan, word: SwitchWord): Promise<TrialWay> {
  if (word.refusal !== null) return { by: "activation" };
  if (word.inhibited.length > 0 && reboot.switchRefused !== true) {
    const why = word.inhibited.join("; ");
    throw new Fault("system/plan-stale", `the plan knows of no restart, and ${why}`);
  }
  return trialWay(change, reboot);
}

/** A trial that ends before it has done anything. */
function refused({ machine }: Change, attempt: Attempt, refusal: Refusal): Trial {
  const { closure, previous, planDigest } = attempt;
  return {
    transaction: closure.transaction,
    toplevel: closure.toplevel,
    previous: previous.toplevel,
    sourcesDigest: closure.sourcesDigest,
    bootId: machine.bootId,
    planDigest,
    activation: "refused",
    exitCode: refusal.exitCode,
    message: refusal.message,
  };
}

async function activate(change: Change, attempt: Attempt, { unasked }: SwitchWord): Promise<Trial> {
  const { commands, settings, machine } = change;
  const { closure, previous, planDigest } = attempt;
  const { transaction: txn, toplevel } = closure;
  const { toplevel: back } = previous;
  await addRoots(change, { txn, toplevel, previous: back });
  if (back !== null && settings.systemd) {
    const intent = armIntent(change, settings.wayBackMs);
    await step(change, { txn, name: "arm", intent }, async () => {
      await commands.armWayBack({ txn, previous: back });
      return null;
    });
  }
  await commands.syncStore();
  const activation = await step(change, { txn, name: "activate", intent: { toplevel } }, () =>
    switchAndRead(change, { txn, toplevel, action: "test", purpose: "switch" }),
  );
  const { end, exitCode, message } = activation;
  if (exitCode !== 0) await commands.forgetSwitch(txn);
  if (isNobodys(activation) || (unasked !== null && isUnasked(activation))) {
    throw new Fault("system/activation-failed", message ?? `${toplevel} was not activated`);
  }
  return {
    transaction: txn,
    toplevel,
    previous: back,
    sourcesDigest: closure.sourcesDigest,
    bootId: machine.bootId,
    planDigest,
    activation: end,
    exitCode,
    message,
  };
}
