import { describeFault, Fault } from "#core/fault.ts";
import { abandonBuild } from "./abandon.ts";
import { finishCommit } from "./commit.ts";
import { clearMarks, firstBootAt, hasStrayMarks } from "./first-boot.ts";
import { nothingOpen } from "./nothing-open.ts";
import { triesOf } from "./releases.ts";
import { reattachTried, reattachTrying, resumeBooted } from "./resume.ts";
import { answerBack, rollBackOpen, type WhyBack } from "./roll-back.ts";
import { leaveFirstBoot, takeUpFirstBoot } from "./settle-first-boot.ts";
import type { OpenTrial, Recovery, Trial } from "./system.ts";
import type { OpenAttempt, TransactionState, Waiting } from "./transaction-state.ts";
import { type Change, dropTrialProfile, openTransaction } from "./work.ts";

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
  const { notes, damage } = change.journal;
  if (damage !== null) return beginAnew(change, notes);
  const open = openTransaction(change);
  const transaction = open.state === "none" ? null : open.txn;
  try {
    const settled = await settleAll(change, open, options);
    const found = { ...nothingOpen(change, change.journal.ledger), transaction, ...settled };
    const details = [...notes, ...settled.details, ...(await takeUp(change, found))];
    return { ...found, details };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const details = [...notes, `${open.state}: ${error.message}`];
    const found = nothingOpen(change, change.journal.ledger);
    return { ...found, state: "continued", transaction, details, fault: describeFault(error) };
  }
}

/**
 * After a journal that could not be believed: what runs is left alone, but for a first boot that was left,
 * which the marks beside the store tell of. No timer of a trial that nobody knows of any more may take it
 * away later, nor is one booted that waits for a restart.
 */
async function beginAnew(change: Change, notes: readonly string[]): Promise<Recovery> {
  const fault = new Fault(
    "system/journal-damaged",
    `${change.paths.journal}: ${change.journal.damage}`,
  );
  const details = [...notes];
  const orSay = async (work: () => Promise<readonly string[]>): Promise<void> => {
    try {
      details.push(...(await work()));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      details.push(error.message);
    }
  };
  await orSay(async () => {
    await change.commands.disarmAll();
    return [];
  });
  await orSay(() => dropWaitingTrial(change));
  let back: Recovery["back"] = null;
  await orSay(async () => {
    const left = await leave(change);
    back = left?.back ?? null;
    return left?.details ?? [];
  });
  const found = nothingOpen(change, change.journal.ledger);
  await orSay(() => takeUp(change, found));
  return { ...found, state: "set-aside", details, fault: describeFault(fault), back };
}

/** Keeps the next boot from being that of a trial which no journal knows any more. */
async function dropWaitingTrial(change: Change): Promise<readonly string[]> {
  const { storeFiles, paths, commands, machine } = change;
  const trial = storeFiles.realPath(paths.trialProfile);
  if (trial !== undefined && trial !== machine.running()) {
    await commands.forgetChoice(trial);
    await commands.forgetOnce({ loader: "kexec", entry: null });
  }
  dropTrialProfile(change);
  return [];
}

/** Takes a first boot up in which nothing is left to be judged. */
async function takeUp(
  change: Change,
  { state, trial, unproved }: Recovery,
): Promise<readonly string[]> {
  if (state === "restart" || trial !== null || unproved !== null) return [];
  return takeUpFirstBoot(change);
}

type Settled = Pick<Recovery, "state" | "details"> & Partial<Recovery>;

/** Settles what is open, then what a first boot left behind, then what was never concluded. */
async function settleAll(
  change: Change,
  open: TransactionState,
  options: RecoverOptions,
): Promise<Settled> {
  const settled = await settle(change, open, options);
  const isOver = openTransaction(change).state === "none" && settled.state !== "restart";
  if (!isOver) return settled;
  const more =
    (await leave(change)) ??
    (options.judges && (settled.back ?? null) === null ? unconcluded(change) : undefined);
  if (more === undefined) return settled;
  return { ...settled, ...more, details: [...settled.details, ...more.details] };
}

async function settle(
  change: Change,
  open: TransactionState,
  { judges }: RecoverOptions,
): Promise<Settled> {
  switch (open.state) {
    case "none":
      return { state: "clean", details: [] };
    case "building":
    case "built":
      await abandonBuild(change, "firstlight was started again");
      return { state: "abandoned", details: ["a build that was never tried was dropped"] };
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
      const { generation, incomplete } = await finishCommit(change, open);
      const left = incomplete === null ? "was finished" : `ended: ${incomplete}`;
      return { state: "continued", details: [`the commit of generation ${generation} ${left}`] };
    }
  }
}

/** Leaves a first boot that had begun, for the one that goes on. */
async function leave(change: Change): Promise<Settled | undefined> {
  if (hasStrayMarks(change)) clearMarks(change);
  const found = firstBootAt(change);
  return found?.now === "after-it" ? leaveFirstBoot(change, found.marks) : undefined;
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
