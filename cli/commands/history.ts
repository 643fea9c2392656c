import { exitCodes } from "#agent/outcome.ts";
import { type LedgerRecord, readLedger } from "#agent/update/ledger.ts";
import type { Update } from "#agent/update/update-state.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { fetchedText } from "#provisioner/system/plan-text.ts";
import { printable } from "#provisioner/system/plan-words.ts";
import type { GenerationRecord, HeldRelease } from "#provisioner/system/system.ts";
import { type Command, type Flags, textFlag } from "../command.ts";
import { openSystem, systemOptions } from "../node.ts";

/** `firstlight history` */
export const command: Command = {
  usage: "history [--pin N | --unpin N] [--root DIR] [--driver nix|dry] [--json]",
  summary: "List the generations: who made them, what and why, how healthy, and which one runs.",
  help: "A trial that was taken back is inconclusive where its end says nothing about the release. What is held back\nis not tried again by itself before its time; firstlight apply tries it.\nWith --pin a generation stays whatever `firstlight collect` would do; --unpin lets it go again.",
  options: { ...systemOptions, pin: { type: "string" }, unpin: { type: "string" } },
  arity: [0, 0],
  async run(invocation) {
    const { json, out, flags } = invocation;
    const pin = readPin(flags);
    const system = await openSystem(invocation, { bearsSettings: pin === undefined });
    if (pin !== undefined) {
      const { changed } = await system.pin(pin.generation, pin.pinned);
      const is = pin.pinned ? "pinned" : "not pinned";
      out.talk(`generation ${pin.generation} is ${is}${changed ? "" : ", as before"}`);
    }
    const history = await system.history();
    const { generations, denied } = history;
    const updates = lastOfEach(readLedger(invocation.io.files).records);
    if (json) {
      out.data(prettyJson({ v: 1, ...history, updates }));
      return exitCodes.done;
    }
    if (generations.length === 0) out.talk("there is no generation yet");
    for (const record of generations) out.data(historyLine(record, updateOf(record, updates)));
    for (const release of denied) out.data(heldLine(release));
    return exitCodes.done;
  },
};

interface Pin {
  readonly generation: number;
  readonly pinned: boolean;
}

function readPin(flags: Flags): Pin | undefined {
  const [pin, unpin] = [textFlag(flags, "pin"), textFlag(flags, "unpin")];
  const text = pin ?? unpin;
  if (text === undefined) return undefined;
  if (!/^[1-9][0-9]{0,8}$/.test(text) || (pin !== undefined && unpin !== undefined)) {
    throw new Fault(
      "cli/usage",
      `history: expected the number of one generation, got ${JSON.stringify(text)}`,
      { hint: "firstlight history lists them" },
    );
  }
  return { generation: Number(text), pinned: pin !== undefined };
}

/** Each update as its last record has it, oldest first. */
function lastOfEach(records: readonly LedgerRecord[]): readonly Update[] {
  const isLast = (index: number) => (records[index + 1]?.event ?? "received") === "received";
  return records.filter((_, index) => isLast(index)).map(({ update }) => update);
}

/** The update that a generation came by: its trial has the name of the change, and its system. */
function updateOf({ toplevel, reason }: GenerationRecord, updates: readonly Update[]) {
  if (reason?.by !== "update") return undefined;
  return updates.findLast((update) => update.toplevel === toplevel);
}

/** Number, when, what it came to, release, who and why, how healthy, and its marks. */
function historyLine(record: GenerationRecord, update: Update | undefined): string {
  const { generation, at, release, reason, reasons, conclusive } = record;
  const outcome =
    record.outcome === "rolled-back" && conclusive === false ? "inconclusive" : record.outcome;
  const marks = [
    ...(record.running ? ["runs"] : []),
    ...(record.bootDefault ? ["boot default"] : []),
    ...(record.previousGood ? ["previous good"] : []),
    ...(record.pinned ? ["pinned"] : []),
  ];
  const columns = [
    String(generation ?? "-").padStart(4),
    (at ?? "").padEnd(24),
    outcome.padEnd(12),
    (release ?? "-").padEnd(19),
    reason === null ? "not made by firstlight" : `${reason.by}: ${reason.why}`,
    ...(update?.release == null
      ? []
      : [`{${update.updateId}: ${update.release.name} (${update.release.number})}`]),
    ...(reason?.notBuilt === undefined ? [] : [`(${fetchedText(reason.notBuilt)})`]),
    ...(reasons.length === 0 ? [] : [`(${reasons.join("; ")})`]),
    ...(marks.length === 0 ? [] : [`[${marks.join(", ")}]`]),
  ];
  return printable(columns.join("  "));
}

/** What is not tried again for now; a person who applies it is not kept from it. */
function heldLine({ release, hardwareProfile, until, reasons }: HeldRelease): string {
  const on = hardwareProfile === null ? "" : ` on ${hardwareProfile}`;
  return printable(`held back until ${until}: ${release}${on} (${reasons.join("; ")})`);
}
