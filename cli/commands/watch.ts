import { openSpool } from "#agent/link/spool.ts";
import { exitCodes } from "#agent/outcome.ts";
import { readStatus } from "#agent/status.ts";
import { readUpdateState } from "#agent/update/read-state.ts";
import { isOver } from "#agent/update/transitions.ts";
import { canonicalJson } from "#core/canonical-json.ts";
import { parseDuration } from "#core/duration.ts";
import { Fault } from "#core/fault.ts";
import { type Io, timestamp } from "#core/io.ts";
import { silentLog } from "#core/log.ts";
import { printable } from "#core/printable.ts";
import type { UpdateState } from "#generated/protocol/messages/update.ts";
import type { UpdateChanged } from "#generated/protocol/messages/update-changed.ts";
import { type Command, textFlag } from "../command.ts";
import { updateText } from "../update-text.ts";

const pollMs = 250;

/** `firstlight watch` */
export const command: Command = {
  usage: "watch [--until-over] [--timeout 30m] [--root DIR] [--json]",
  summary:
    "Follow what this machine does, live: the boot, the update, and what it tells the fleet.",
  help:
    "One line for each change: the stage of the boot or change that is under way, the state of the update, and every\n" +
    "event as the root side writes it down. With --json each line is a JSON document. It goes on until it is\n" +
    "interrupted; with --until-over until the update is over, with --timeout for so long at most.\n" +
    "Exit code: 0, or 75 where --until-over came to no end in time.",
  options: { "until-over": { type: "boolean" }, timeout: { type: "string" } },
  arity: [0, 0],
  async run({ io, flags, json, out, signal }) {
    const limit = textFlag(flags, "timeout");
    const timeoutMs = limit === undefined ? Number.POSITIVE_INFINITY : parseDuration(limit);
    if (timeoutMs === undefined)
      throw new Fault(
        "cli/usage",
        `--timeout: expected a duration such as 30m, got ${JSON.stringify(limit)}`,
      );
    const untilOver = flags["until-over"] === true;
    const look = changes(io);
    const deadline = io.clock.monotonicMs() + timeoutMs;
    for (;;) {
      for (const change of look()) out.data(json ? canonicalJson(change) : lineOf(change));
      const update = readUpdateState(io.files);
      if (untilOver && (update === undefined || isOver(update.state))) return exitCodes.done;
      if (io.clock.monotonicMs() >= deadline)
        return untilOver ? exitCodes.tryAgain : exitCodes.done;
      await io.clock.sleep(pollMs, signal);
    }
  },
};

/** Something that has changed since the last look. */
export type Change =
  | { readonly at: string; readonly what: "stage"; readonly state: string; readonly stage: string }
  | { readonly at: string; readonly what: "update"; readonly update: UpdateState }
  | { readonly at: string; readonly what: "event"; readonly kind: string; readonly body: object };

/**
 * Looks again and again: what is there at the first look, but for events of before, counts as a change. Each
 * step of an update is told, however fast it goes: the spool has them all.
 */
function changes(io: Io): () => readonly Change[] {
  const { files } = io;
  let stage = "";
  let seen = -1;
  let progress: number | undefined;
  let taken = lastNumber(io);
  return () => {
    const found: Change[] = [];
    const status = readStatus(files);
    const now = status === undefined ? "" : `${status.state} ${status.stage} ${status.bootId}`;
    if (status !== undefined && now !== stage)
      found.push({ at: status.at, what: "stage", state: status.state, stage: status.stage });
    stage = now;
    for (const { number, events } of openSpool(files, silentLog).after(taken)) {
      taken = number;
      for (const { at, kind, body } of events) {
        if (kind === "update.changed") {
          const { from: _from, to: state, at: since, ...rest } = body as unknown as UpdateChanged;
          seen = rest.seq;
          found.push({ at: since, what: "update", update: { ...rest, state, since } });
        } else found.push({ at, what: "event", kind, body });
      }
    }
    const update = readUpdateState(files);
    const moves = update?.progress !== undefined && update.progress !== progress;
    if (update !== undefined && (update.seq > seen || (update.seq === seen && moves))) {
      seen = update.seq;
      progress = update.progress;
      found.push({ at: update.since ?? timestamp(io.clock), what: "update", update });
    }
    return found;
  };
}

function lastNumber({ files }: Io): number {
  let last = 0;
  for (const { number } of openSpool(files, silentLog).after(0)) last = number;
  return last;
}

function lineOf(change: Change): string {
  switch (change.what) {
    case "stage":
      return printable(`${change.at}  ${change.state}: ${change.stage}`);
    case "update":
      return `${change.at}  update ${updateText(change.update)}`;
    case "event":
      return printable(`${change.at}  ${change.kind}: ${told(change.body)}`);
  }
}

/** The first words of an event that a person looks for. */
function told(body: object): string {
  const { outcome, result, code, message, stage, toplevel } = body as Readonly<
    Record<string, unknown>
  >;
  const words = [outcome, result, stage, code, message ?? toplevel];
  return words.filter((word) => typeof word === "string").join(": ");
}
