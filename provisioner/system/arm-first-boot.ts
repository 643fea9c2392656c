import { Fault, isFault } from "#core/fault.ts";
import type { ExecResult, Io } from "#core/io.ts";
import type { CommandLine } from "./command-lines.ts";
import {
  endFirstBoot,
  type FirstBootMarks,
  firstBootNow,
  isForPerson,
  markBegun,
  markDefault,
  markLeaving,
  mostLeavings,
  readMarks,
} from "./first-boot.ts";
import { chooseLoader, forgetChoice } from "./loaders/choose-loader.ts";
import type { LoaderPlace } from "./loaders/loader.ts";
import { openMachine } from "./machine.ts";
import { systemPaths } from "./paths.ts";

/** What a first boot has for a way back. */
export interface FirstBootArmed {
  /** The system that the next boot is of, whatever ends this one. */
  readonly back: string;
  readonly loader: string;
  readonly entry: string;
}

/** The timer of the module. */
const deadline = "firstlight-first-boot-deadline.timer";

/** The files that say what boot it is, and those of the loader. */
function placeOf(io: Io) {
  const paths = systemPaths(io.env);
  const { files } = io;
  const loaderPlace: LoaderPlace = { files, storeFiles: files, run: (line) => run(io, line) };
  return { paths, storeFiles: files, loaderPlace, machine: openMachine(io, files, paths) };
}

/** The marks of a first boot where this is one that nobody has taken up; not where a person asked for a shell. */
export function firstBootOf(io: Io): FirstBootMarks | undefined {
  const place = placeOf(io);
  const { machine } = place;
  const marks = readMarks(place, machine.booted());
  const now = firstBootNow(marks, { booted: machine.booted(), bootId: machine.bootId });
  return now === "is-it" && !isForPerson(io.files) ? marks : undefined;
}

/** Whether what runs is not the system any more whose first boot this is: somebody has switched to another. */
export function runsOther(io: Io, { unproved }: FirstBootMarks): boolean {
  return placeOf(io).machine.running() !== unproved;
}

/**
 * Whether somebody has put another system in the place of the one whose first boot this is: what runs, or
 * what the next boot is of, is their choice. What was the default as this boot began is nobody's: the loader
 * did not know of it, because a power cut came before.
 */
export function isReplaced(io: Io, marks: FirstBootMarks): boolean {
  const { toplevel } = placeOf(io).machine.profile();
  return runsOther(io, marks) || (toplevel !== marks.unproved && toplevel !== marks.byDefault);
}

/** The newest generation of the system that is gone back to; `null` where the profile has none any more. */
export function provedGeneration(io: Io, { proved }: FirstBootMarks): number | null {
  const made = placeOf(io).machine.generations();
  return made.findLast(({ toplevel }) => toplevel === proved)?.generation ?? null;
}

/**
 * Whether this boot was past its beginning once: what ends in emergency mode after that was asked for by a
 * person. The systemd of an initrd hands on when it reached the target itself, so that only a time after
 * this systemd began counts. `false` also where systemd does not say.
 */
export async function wasUp(io: Io): Promise<boolean> {
  const [reached, began] = await Promise.all([
    timeOf(io, "ActiveEnterTimestampMonotonic", ["sysinit.target"]),
    timeOf(io, "UserspaceTimestampMonotonic"),
  ]);
  return reached !== undefined && began !== undefined && reached > began;
}

/**
 * A time in microseconds, of a unit or of systemd itself; `undefined` of what never was, or where systemd
 * does not say. org.freedesktop.systemd1(5)
 */
async function timeOf(
  io: Io,
  property: string,
  unit: readonly string[] = [],
): Promise<number | undefined> {
  const argv = ["systemctl", "show", ...unit, `--property=${property}`] as const;
  try {
    const { code, stdout } = await run(io, { argv, timeoutMs: 10_000 });
    const micros = new RegExp(`^${property}=([1-9]\\d{0,15})$`, "m").exec(stdout)?.[1];
    return code === 0 && micros !== undefined ? Number(micros) : undefined;
  } catch (error) {
    if (!isFault(error)) throw error;
    return undefined;
  }
}

/** Lets the deadline of this first boot begin anew. Throws `system/way-back-failed`. */
export async function renewDeadline(io: Io): Promise<void> {
  const argv = ["systemctl", "restart", deadline] as const;
  const effect = "renew the deadline of the first boot";
  const { code, stderr } = await run(io, { argv, timeoutMs: 60_000, effect });
  if (code !== 0) throw new Fault("system/way-back-failed", `${deadline}: ${stderr.trim()}`);
}

/**
 * Lets the boot loader start the proved system next, once, where this is the first boot of one that is
 * not: whatever resets the machine before firstlight has taken the boot up leads back. May be done again.
 * `undefined` where this is no first boot. Throws `system/reboot-impossible`, `system/boot-once-failed`
 * where the loader cannot, and what a disk does that takes no mark, after the loader was told all the same.
 */
export async function armFirstBoot(io: Io): Promise<FirstBootArmed | undefined> {
  const marks = firstBootOf(io);
  if (marks === undefined) return undefined;
  const place = placeOf(io);
  const unwritten = tryToMark(place, marks);
  const wish = { policy: "loader", bootDefault: marks.unproved } as const;
  const { loader } = await chooseLoader(place.loaderPlace, wish);
  const entry = await loader.choose(place.loaderPlace, marks.proved);
  if (unwritten !== null) throw unwritten;
  return { back: marks.proved, loader: loader.name, entry };
}

/** Says that the first boot has begun, and with which default; gives back why that could not be written, or `null`. */
function tryToMark(place: ReturnType<typeof placeOf>, marks: FirstBootMarks): Fault | null {
  const { toplevel } = place.machine.profile();
  try {
    if (!marks.hasBegun) markBegun(place, marks);
    if (toplevel !== null && toplevel !== marks.unproved) markDefault(place, toplevel);
    return null;
  } catch (error) {
    if (!isFault(error)) throw error;
    return error;
  }
}

/** Says that the machine is restarted to leave this boot; `false` where it came back too often. */
export function beginLeaving(io: Io): boolean {
  const marks = firstBootOf(io);
  if (marks === undefined || marks.leavings >= mostLeavings) return false;
  markLeaving(placeOf(io), marks);
  return true;
}

/**
 * Ends a first boot in which firstlight has come to an end, whatever that was: nothing leads back from it any
 * more. Gives back how the loader kept its choice, or `null`.
 */
export function endByItself(io: Io, { proved }: FirstBootMarks): Promise<Fault | null> {
  const place = placeOf(io);
  return endFirstBoot(place, () => forgetChoice(place.loaderPlace, proved));
}

function run(io: Io, { argv, timeoutMs, effect }: CommandLine): Promise<ExecResult> {
  const [file, ...args] = argv;
  return io.exec({ file, args, timeoutMs, ...(effect === undefined ? {} : { effect }) });
}
