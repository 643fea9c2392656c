import { conclude, prove } from "./afterwards.ts";
import { keepPlan } from "./approved-plan.ts";
import { build } from "./build.ts";
import { collect } from "./collect.ts";
import { commit } from "./commit.ts";
import { closureOfGeneration } from "./history.ts";
import { thenHooks } from "./hooks.ts";
import { readJournal } from "./journal.ts";
import type { Lock } from "./lock.ts";
import { type JournalOptions, openJournal } from "./open-journal.ts";
import { setPin } from "./pinned-generations.ts";
import { makePlan, previewSources } from "./plan.ts";
import { recover } from "./recover.ts";
import { restart } from "./restart.ts";
import { retry } from "./retry.ts";
import { rollBack } from "./roll-back.ts";
import type { SystemRequest, SystemResults } from "./system.ts";
import { hasAttempt } from "./transaction-state.ts";
import { tryPlan } from "./trial.ts";
import type { Change, Work } from "./work.ts";

/** What the requests of one driver share. */
export interface Shared {
  readonly lock: Lock;
  readonly shred: Shred;
}

/** Shreds every file of a secret but these; answers with those that went. */
export type Shred = (keep: ReadonlySet<string>) => readonly string[];

/** Answers any request but those that {@link openDriver} answers itself. */
export async function answerRequest(
  work: Work,
  { lock, shred }: Shared,
  request: Exclude<SystemRequest, { readonly kind: "runs" | "history" | "status" }>,
): Promise<SystemResults[SystemRequest["kind"]]> {
  // biome-ignore lint/nursery/useExhaustiveSwitchCases: it does not see what the type leaves out
  switch (request.kind) {
    case "recover": {
      const options = { judges: request.judges ?? false };
      return changing(work, lock, (change) => thenHooks(change, recover(change, options)), {
        mend: true,
      });
    }
    case "build":
      return changing(work, lock, (change) => build(change, request.sources, request.reason));
    case "fetch": {
      const { fetchClosure } = await import("./fetch/fetch.ts");
      return changing(work, lock, (change) => fetchClosure(change, request));
    }
    case "preview":
      return previewSources(work, request.sources, request.signed);
    case "plan": {
      const plan = await makePlan(work, request.closure);
      if (request.keep === true) keepPlan(work, plan);
      return plan;
    }
    case "try":
      return changing(work, lock, (change) => thenHooks(change, tryPlan(change, request)));
    case "commit":
      return changing(work, lock, (change) =>
        thenHooks(change, commit(change, request.trial, request.verdict)),
      );
    case "roll-back":
      return changing(work, lock, (change) =>
        thenHooks(change, rollBack(change, request.trial, request.verdict)),
      );
    case "restart":
      return changing(work, lock, (change) => restart(change, request));
    case "conclude":
      return changing(work, lock, (change) => conclude(change, request));
    case "prove":
      return changing(work, lock, (change) => prove(change, request.verdict));
    case "retry":
      return retry(work, request.wanted);
    case "plan-generation": {
      const { generation, reason } = request;
      const { closure, judging } = closureOfGeneration(work, generation, reason);
      return { plan: await makePlan(work, closure), judging };
    }
    case "drift":
      return (await import("./drift/check-drift.ts")).checkDrift(work, request);
    case "repair": {
      const { repairDrift } = await import("./drift/repair.ts");
      return changing(work, lock, (change) => repairDrift(change, request));
    }
    case "pin": {
      const { generation, pinned } = request;
      return changing(work, lock, async (change) => ({
        changed: setPin(change, generation, pinned),
      }));
    }
    case "collect":
      return collect(work, {
        ...request,
        shred,
        locked: (action) => changing(work, lock, action),
      });
  }
}

/** Changes the machine under the lock, which a trial keeps until it has ended. */
async function changing<T>(
  work: Work,
  lock: Lock,
  action: (change: Change) => Promise<T>,
  options: JournalOptions = {},
): Promise<T> {
  lock.acquire();
  const { io, paths } = work;
  try {
    return await action({ ...work, journal: openJournal(io, paths.journal, options) });
  } finally {
    if (!hasOpenTrial(work)) lock.release();
  }
}

function hasOpenTrial({ io, paths }: Work): boolean {
  try {
    return hasAttempt(readJournal(io.files, paths.journal).ledger.state);
  } catch {
    return false; // a journal that cannot be read is no reason to shut others out
  }
}
