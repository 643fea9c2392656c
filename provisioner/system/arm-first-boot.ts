import type { ExecResult, Io } from "#core/io.ts";
import type { CommandLine } from "./command-lines.ts";
import { firstBootNow, markBegun, readMarks } from "./first-boot.ts";
import { chooseLoader } from "./loaders/choose-loader.ts";
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

/**
 * Lets the boot loader start the proved system next, once, where this is the first boot of one that is
 * not: whatever resets the machine before firstlight has taken the boot up leads back. May be done again.
 * `undefined` where this is no first boot. Throws `system/reboot-impossible`, `system/boot-once-failed`
 * where the loader cannot.
 */
export async function armFirstBoot(io: Io): Promise<FirstBootArmed | undefined> {
  const paths = systemPaths(io.env);
  const { files } = io;
  const marks = readMarks({ storeFiles: files, paths });
  const booted = openMachine(io, files, paths).booted();
  if (marks === undefined || firstBootNow(marks, booted) !== "is-it") return undefined;
  if (!marks.hasBegun) markBegun({ storeFiles: files, paths }, marks);
  const place: LoaderPlace = { files, storeFiles: files, run: (line) => run(io, line) };
  const wish = { policy: "loader", bootDefault: marks.unproved } as const;
  const { loader } = await chooseLoader(place, wish);
  const entry = await loader.choose(place, marks.proved);
  return { back: marks.proved, loader: loader.name, entry };
}

function run(io: Io, { argv, timeoutMs, effect }: CommandLine): Promise<ExecResult> {
  const [file, ...args] = argv;
  return io.exec({ file, args, timeoutMs, ...(effect === undefined ? {} : { effect }) });
}
