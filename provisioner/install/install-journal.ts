import type { Io } from "#core/io.ts";
import { readJournal } from "#provisioner/system/journal.ts";
import { openJournal } from "#provisioner/system/open-journal.ts";
import { journalPlace } from "./steps.ts";

export const journalFile = `${journalPlace}/firstlight-install/journal.jsonl`;

/** How far an installation is: on the disk that it goes to, so that no cut loses it. */
export interface InstallJournal {
  /** Ids of the steps that were done when this start began. */
  readonly done: ReadonlySet<string>;
  begin(id: string): void;
  end(id: string): void;
}

/** Opens the journal on the ESP for one plan; what another plan left there counts for nothing. */
export function openInstallJournal(io: Io, plan: string): InstallJournal {
  const journal = openJournal(io, journalFile);
  const txn = `install-${plan.slice(0, 16)}`;
  const done = new Set<string>();
  let begun: string | undefined;
  for (const record of readJournal(io.files, journalFile).records) {
    if (record.kind === "checkpoint" || record.step !== "install" || record.txn !== txn) continue;
    if (record.kind === "intent") begun = record.data.id;
    else if (record.data.ok && begun !== undefined) done.add(begun);
  }
  return {
    done,
    begin: (id) => journal.intent(txn, "install", { plan, id }),
    end: () => journal.result(txn, "install", { ok: true, value: null }),
  };
}
