import { exitCodes } from "#agent/outcome.ts";
import { readSettings } from "#agent/settings.ts";
import { isUnderWay, readResult } from "#agent/status.ts";
import { Fault, isFault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import {
  armFirstBoot,
  beginLeaving,
  endByItself,
  firstBootOf,
  isReplaced,
  provedGeneration,
  renewDeadline,
  runsOther,
  wasUp,
} from "#provisioner/system/arm-first-boot.ts";
import { type FirstBootMarks, mostLeavings } from "#provisioner/system/first-boot.ts";
import { type Command, type Invocation, textFlag } from "../command.ts";
import { inSandbox, sandboxHelp, sandboxOption } from "../sandbox.ts";

/** How a first boot is left that firstlight has not taken up. */
const ways: readonly unknown[] = [undefined, "restart", "any"];

/** `firstlight first-boot`, hidden: of the units that see to the first boot of a system. */
export const command: Command = {
  usage: "first-boot [--leave restart|any] [--sandboxed] [--root DIR]",
  summary: "Let the next boot be of the system from before, where this is a first boot.",
  help:
    "Before anything else has started, so that whatever ends this boot leads back. With --leave the machine\nis restarted into that system now; with `any` it is activated here where no restart leads there.\n" +
    sandboxHelp,
  options: { leave: { type: "string" }, ...sandboxOption },
  arity: [0, 0],
  async run(asked) {
    const invocation = inSandbox(asked);
    const { io, log, flags } = invocation;
    const leave = textFlag(flags, "leave");
    if (!ways.includes(leave)) {
      throw new Fault(
        "cli/usage",
        `--leave: expected restart or any, got ${JSON.stringify(leave)}`,
      );
    }
    const marks = firstBootOf(io);
    if (marks === undefined) return exitCodes.done;
    // In emergency mode nobody is left who could come to an end.
    if (leave === "any" && isUnderWay(io.files)) return waitOn(invocation);
    const isOver =
      leave === undefined ? runsOther(io, marks) : cameToAnEnd(io.files) || isReplaced(io, marks);
    if (isOver) return end(invocation, marks);
    if (leave === "restart" && (await wasUp(io))) {
      log.info("first-boot.for-person", {});
      return exitCodes.done;
    }
    let isArmed = false;
    try {
      const armed = await armFirstBoot(io);
      if (armed === undefined) return exitCodes.done;
      log.info("first-boot.armed", { ...armed });
      isArmed = true;
    } catch (error) {
      if (!isFault(error)) throw error;
      log.warning("first-boot.unarmed", { code: error.code, message: error.message });
    }
    return leave === undefined ? exitCodes.done : goBack(invocation, { isArmed, leave, marks });
  },
};

interface Leaving {
  readonly isArmed: boolean;
  readonly leave: string;
  readonly marks: FirstBootMarks;
}

/** Restarts where that leads back and is allowed. */
async function goBack(invocation: Invocation, { isArmed, leave, marks }: Leaving): Promise<number> {
  const { io, log } = invocation;
  if (isArmed && (await mayRestart(invocation)) && canLeave(invocation)) {
    log.warning("first-boot.left", { how: "restart" });
    const args = ["reboot", "--no-block"];
    const { code } = await io.exec({
      ...{ file: "systemctl", args, timeoutMs: 60_000, effect: "leave the first boot" },
    });
    return code === 0 ? exitCodes.done : exitCodes.error;
  }
  if (leave !== "any") return exitCodes.error;
  log.warning("first-boot.left", { how: "rollback" });
  const [{ openSystem }, { rollBack }] = await Promise.all([
    import("../node.ts"),
    import("../roll-back.ts"),
  ]);
  const system = await openSystem(invocation, { bearsSettings: true });
  return rollBack(invocation, { system, generation: provedGeneration(io, marks) });
}

/**
 * Whether firstlight came to an end in this boot, whatever that was; then the first boot ends here as well. One
 * that has not come past what was open has done nothing for this system: its settings may be what is wrong.
 */
function cameToAnEnd(files: Files): boolean {
  return (readResult(files)?.stages ?? []).some(({ stage }) => stage !== "recover");
}

async function end({ io, log }: Invocation, marks: FirstBootMarks): Promise<number> {
  const failure = await endByItself(io, marks);
  if (failure === null) log.info("first-boot.ended", {});
  else log.warning("first-boot.ended", { code: failure.code, message: failure.message });
  return exitCodes.done;
}

/** A judge takes hours where it was told to, and so may a build. */
async function waitOn({ io, log }: Invocation): Promise<number> {
  await renewDeadline(io);
  log.info("first-boot.under-way", {});
  return exitCodes.done;
}

/** Each restart is counted before it, so that none follows another for ever. */
function canLeave({ io, log }: Invocation): boolean {
  try {
    if (beginLeaving(io)) return true;
    log.error("first-boot.stuck", {
      message: `the boot loader was told ${mostLeavings} times to start the system from before, and starts this one: no further restart`,
    });
  } catch (error) {
    if (!isFault(error)) throw error;
    log.error("first-boot.stuck", { code: error.code, message: error.message });
  }
  return false;
}

/** Settings that cannot be read are those of the system that is left, and may be what is wrong with it. */
async function mayRestart({ io, log }: Invocation): Promise<boolean> {
  try {
    const { trial } = await readSettings(io.files);
    return (trial?.reboot ?? "allow") === "allow";
  } catch (error) {
    if (!isFault(error)) throw error;
    log.warning("first-boot.settings", { code: error.code, message: error.message });
    return true;
  }
}
