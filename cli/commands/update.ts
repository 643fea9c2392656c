import { exitCodes } from "#agent/outcome.ts";
import { readUpdateState } from "#agent/update/read-state.ts";
import { isOver } from "#agent/update/transitions.ts";
import { readWish, removeWish, type WishName, writeWish } from "#agent/update/wishes.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { UpdateState } from "#generated/protocol/messages/update.ts";
import type { Command, Invocation } from "../command.ts";
import { systemOptions } from "../node.ts";
import { inSandbox, sandboxHelp, sandboxOption } from "../sandbox.ts";
import { updateText } from "../update-text.ts";

/** `firstlight update` */
export const command: Command = {
  usage:
    "update run | status | import DIR | approve ID | cancel [ID] | pause | resume [--automatic] [--root DIR] [--driver nix|dry] [--sandboxed] [--json]",
  summary:
    "Work on the update that the fleet has assigned to this machine, or say something to it.",
  help:
    "run goes on with it until it is over or waits: its unit does that by itself. status says where it stands, for\n" +
    "everybody. import takes an update from a directory, a stick for example, by the same checks as one from the broker\n" +
    "(docs/updates.md); with --automatic only where the settings let a stick be taken by itself. approve agrees to the update with this id, where a person is asked. cancel calls it off: before its\n" +
    "trial nothing has changed, during it the system from before comes back, after the commit it is too late. pause\n" +
    "keeps it from going on before its trial, resume lets it. What is said takes effect with the next run, which the\n" +
    "unit begins at once.\n" +
    "Exit code of run: 0 done, nothing to do, or it waits, 1 failed, 2 done but something was not done, 3 rolled\n" +
    "back, 75 the machine is being restarted or another time is better, 77 rejected.\n" +
    sandboxHelp,
  options: { ...systemOptions, ...sandboxOption, automatic: { type: "boolean" } },
  arity: [1, 2],
  async run(invocation) {
    const [verb = "", id] = invocation.args;
    switch (verb) {
      case "run":
        return run(inSandbox(invocation));
      case "status":
        return status(invocation);
      case "import":
        return importDirectory(invocation, id);
      case "approve":
      case "cancel":
      case "pause":
        return wish(invocation, verb, id);
      case "resume":
        return resume(invocation, id);
      default:
        throw new Fault(
          "cli/usage",
          `update: expected run, status, import, approve, cancel, pause or resume, got ${JSON.stringify(verb)}`,
        );
    }
  },
};

async function run(invocation: Invocation): Promise<number> {
  const { io, json, out, log } = invocation;
  const { startAgain, workOnUpdate } = await import("../work-on-update.ts");
  const { run: worked, end } = await workOnUpdate(invocation);
  const { waits } = worked;
  const again = waits?.afterMs == null ? false : await startAgain(invocation, waits.afterMs);
  if (waits !== undefined)
    log.info("update.waits", { why: waits.why, afterMs: waits.afterMs, again });
  const state = readUpdateState(io.files);
  out.data(
    json
      ? prettyJson({ v: 1, update: state ?? null, waits: waits ?? null })
      : updateText(state, waits?.why),
  );
  const code = await end();
  // Where nobody will start it again, the unit's own failure does.
  const isLeft = waits?.afterMs != null && !again && isUnit(invocation);
  return code === exitCodes.done && isLeft ? exitCodes.tryAgain : code;
}

/** Whether systemd runs it, which takes care of it. */
function isUnit({ flags }: Invocation): boolean {
  return flags["sandboxed"] === true;
}

async function importDirectory(
  invocation: Invocation,
  directory: string | undefined,
): Promise<number> {
  if (directory === undefined)
    throw new Fault("cli/usage", "update import: the directory of an update was expected");
  const { json, out, flags } = invocation;
  const { importFrom } = await import("../import-update.ts");
  const automatic = flags["automatic"] === true;
  const imported = await importFrom(invocation, directory, { automatic });
  const { kind, updateId, release } = imported;
  const what = updateId === null ? "nothing is wanted of this machine" : `${updateId}: ${release}`;
  const isNew = kind === "unchanged" ? "as before: " : "";
  out.data(json ? prettyJson({ v: 1, ...imported }) : `${isNew}${what}`);
  return exitCodes.done;
}

async function status({ io, json, out }: Invocation): Promise<number> {
  const update = readUpdateState(io.files);
  const said = (name: WishName) => readWish(io.files, name, update?.updateId ?? null) ?? null;
  const wishes = { approve: said("approve"), cancel: said("cancel"), pause: said("pause") };
  out.data(json ? prettyJson({ v: 1, update: update ?? null, wishes }) : updateText(update));
  if (!json)
    for (const [name, given] of Object.entries(wishes))
      if (given !== null) out.talk(`${name}: by ${given.by} at ${given.at}, not taken up yet`);
  return exitCodes.done;
}

async function wish(
  { io, out }: Invocation,
  name: WishName,
  id: string | undefined,
): Promise<number> {
  const update = current(readUpdateState(io.files), name, id);
  writeWish(io, name, { updateId: update, by: io.env["SUDO_USER"] ?? io.env["USER"] ?? "root" });
  out.talk(`${name} ${update}: it takes effect with the next \`firstlight update run\``);
  return exitCodes.done;
}

async function resume({ io, out }: Invocation, id: string | undefined): Promise<number> {
  const update = current(readUpdateState(io.files), "resume", id);
  if (readWish(io.files, "pause", update) === undefined) out.talk(`${update} is not paused`);
  removeWish(io, "pause");
  return exitCodes.done;
}

/** The update that is under way; approval names it, so that nobody agrees to another one. */
function current(
  update: UpdateState | undefined,
  verb: WishName | "resume",
  id: string | undefined,
): string {
  const under = update === undefined || isOver(update.state) ? undefined : update.updateId;
  if (verb === "approve" && id === undefined)
    throw new Fault("cli/usage", "update approve: the id of the update was expected", {
      hint: "`firstlight update status` names it",
    });
  if (under !== undefined && (id === undefined || id === under)) return under;
  const now = under === undefined ? "no update is under way" : `the update under way is ${under}`;
  throw new Fault("update/unknown", id === undefined ? now : `${id}: ${now}`);
}
