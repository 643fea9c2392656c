import { describeFault, Fault } from "#core/fault.ts";
import { abandonBuild } from "./abandon.ts";
import { finishCommit } from "./commit.ts";
import { type FirstBootMarks, firstBootNow, readMarks } from "./first-boot.ts";
import { nothingOpen } from "./nothing-open.ts";
import { triesOf } from "./releases.ts";
import { reattachTried, reattachTrying, resumeBooted } from "./resume.ts";
import { answerBack, rollBackOpen, type WhyBack } from "./roll-back.ts";
import { leaveFirstBoot, takeUpFirstBoot } from "./settle-first-boot.ts";
import type { OpenTrial, Recovery, Trial } from "./system.ts";
import type { OpenAttempt, TransactionState, Waiting } from "./transaction-state.ts";
import { type Change, openTransaction } from "./work.ts";

/** How the caller of `recover` goes on. */
export interface RecoverOptions {
  /** Whether it judges a trial that goes on. */
  readonly judges: boolean;
}

/**
 * Settles what the journal left open: before the intent to commit it goes back to the system from
 * before, after it the commit is finished. A trial that can go on, or that was judged and taken back
 * without a conclusion, is handed to a caller that judges it. A fault on the way is part of the answer,
 * and the next start tries again.
 */
export async function recover(change: Change, options: RecoverOptions): Promise<Recovery> {
  const { marks, notes } = await takeUp(change);
  if (change.journal.damage !== null) return beginAnew(change, notes);
  const open = openTransaction(change);
  const transaction = open.state === "none" ? null : open.txn;
  try {
    const settled = await settle(change, open, { ...options, marks });
    const found = nothingOpen(change, change.journal.ledger);
    return { ...found, transaction, ...settled, details: [...notes, ...settled.details] };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const details = [...notes, `${open.state}: ${error.message}`];
    const found = nothingOpen(change, change.journal.ledger);
    return { ...found, state: "continued", transaction, details, fault: describeFault(error) };
  }
}

/**
 * After a journal that could not be believed: what runs is left alone. No timer of a trial that
 * nobody knows of any more may take it away later.
 */
async function beginAnew(change: Change, notes: readonly string[]): Promise<Recovery> {
  const { damage, ledger } = change.journal;
  const fault = new Fault("system/journal-damaged", `${change.paths.journal}: ${damage}`);
  const details = [...notes];
  try {
    await change.commands.disarmAll();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    details.push(error.message);
  }
  const found = nothingOpen(change, ledger);
  return { ...found, state: "set-aside", details, fault: describeFault(fault) };
}

type Settled = Pick<Recovery, "state" | "details"> & Partial<Recovery>;

interface FirstBoot {
  /** Of a first boot that had begun and was left for this one; `undefined` where that is not so. */
  readonly marks: FirstBootMarks | undefined;
}

/** What the journal says of itself, and what comes of a first boot before anything is settled. */
async function takeUp(change: Change): Promise<FirstBoot & { readonly notes: readonly string[] }> {
  const { notes } = change.journal;
  const marks = readMarks(change);
  const now = firstBootNow(marks, change.machine.booted());
  if (marks === undefined || now === "neither") return { marks: undefined, notes };
  if (now === "after-it") return { marks, notes };
  return { marks: undefined, notes: [...notes, ...(await takeUpFirstBoot(change, marks))] };
}

async function settle(
  change: Change,
  open: TransactionState,
  { judges, marks }: RecoverOptions & FirstBoot,
): Promise<Settled> {
  switch (open.state) {
    case "none":
      return (
        (await leave(change, marks)) ??
        (judges ? unconcluded(change) : undefined) ?? { state: "clean", details: [] }
      );
    case "building":
    case "built": {
      await abandonBuild(change, "firstlight was started again");
      const details = ["a build that was never tried was dropped"];
      return (await leave(change, marks)) ?? { state: "abandoned", details };
    }
    case "waiting":
      return settleWaiting(change, open, judges);
    case "trying": {
      const trial = judges ? await reattachTrying(change, open) : undefined;
      return trial === undefined ? ended(change, open) : handOver(open, trial);
    }
    case "tried": {
      const trial = judges ? await reattachTried(change, open) : undefined;
      return trial === undefined ? ended(change, open) : handOver(open, trial);
    }
    case "preparing":
      return ended(change, open);
    case "rolling-back":
      return back(change, open, open);
    case "committing": {
      await change.commands.awaitSwitch(open.txn); // a boot entry may be half-way
      const { generation } = await finishCommit(change, open);
      return {
        state: "continued",
        details: [`the commit of generation ${generation} was finished`],
      };
    }
  }
}

async function leave(change: Change, marks: FirstBoot["marks"]): Promise<Settled | undefined> {
  return marks === undefined ? undefined : leaveFirstBoot(change, marks);
}

/** A trial by a restart: before it, after it, or after a boot of another system. */
async function settleWaiting(change: Change, open: Waiting, judges: boolean): Promise<Settled> {
  const { machine } = change;
  const { toplevel } = open.attempt.closure;
  if (open.bootId === machine.bootId) {
    return judges ? handOver(open, open.trial) : ended(change, open);
  }
  const running = machine.running();
  if (running !== toplevel) {
    const found = running ?? "no system";
    const reasons = [`the machine came back with ${found}, and not with the system on trial`];
    // Once may be a power cut; who does not come up twice is to blame.
    const blamed = triesOf(change.journal.ledger.releases, open.attempt) > 1;
    return back(change, open, { verdict: null, reasons, blamed });
  }
  return judges ? handOver(open, await resumeBooted(change, open)) : ended(change, open);
}

/** A trial that is back, while whoever took it back was killed before it could say what that means. */
function unconcluded(change: Change): Settled | undefined {
  const { ended, unconcluded } = change.journal.ledger;
  const trial = ended.findLast(({ txn }) => txn === unconcluded?.txn);
  if (unconcluded === null || trial === undefined) return undefined;
  const { txn: transaction, attempt, reasons } = trial;
  const { toplevel, sourcesDigest, reason } = attempt.closure;
  const { judging, verdict } = unconcluded;
  const rolledBack = answerBack(change, { attempt, reasons, restart: false });
  return {
    state: "rolled-back",
    transaction,
    details: [`the trial ${transaction} was taken back, and nobody said whether it was to blame`],
    back: { transaction, toplevel, sourcesDigest, judging, reason, verdict, rolledBack },
  };
}

function handOver(open: OpenAttempt, trial: Trial): Settled {
  const details = [`the trial was ${open.state}, and goes on`];
  return { state: "trial", details, trial: openTrial(open, trial) };
}

function openTrial({ attempt }: OpenAttempt, trial: Trial): OpenTrial {
  return { trial, judging: attempt.judging, reason: attempt.closure.reason };
}

function ended(change: Change, open: OpenAttempt): Promise<Settled> {
  const reasons = [`firstlight ended while it was ${open.state}`];
  return back(change, open, { verdict: null, reasons, blamed: false });
}

async function back(change: Change, open: OpenAttempt, why: WhyBack): Promise<Settled> {
  const { verdict, reasons, blamed } = why;
  const rolledBack = await rollBackOpen(change, { verdict, reasons, blamed });
  if (rolledBack.restart) return { state: "restart", details: rolledBack.reasons };
  const now = rolledBack.toplevel ?? "no system of before";
  const details = [...rolledBack.reasons, `${now} runs`];
  if (verdict === null || open.state !== "rolling-back") return { state: "rolled-back", details };
  const { closure, judging } = open.attempt;
  const { transaction, toplevel, sourcesDigest, reason } = closure;
  return {
    state: "rolled-back",
    details,
    back: { transaction, toplevel, sourcesDigest, judging, reason, verdict, rolledBack },
  };
}
