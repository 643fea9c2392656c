import { Fault, isFault } from "#core/fault.ts";
import type { ExecResult, Files, Io } from "#core/io.ts";
import { lockHeld } from "./activation.ts";
import { hostBootPlaces } from "./boot-places.ts";
import {
  buildUnits,
  type CommandLine,
  type CommandLines,
  type CommandSettings,
  derivationRoot,
  shownArgv,
  stopGraceMs,
  swapName,
  switchUnit,
  systemRoot,
  wayBackUnit,
} from "./command-lines.ts";
import type { Commands, SwitchEnd, Talk, WayBackHold } from "./commands.ts";
import { parseFailedSince, parseFailedUnits, parseUptime } from "./drift/failed-units.ts";
import { whoEvaluates } from "./evaluate-apart.ts";
import { nixStore } from "./fetch/store-commands.ts";
import { storeLines } from "./fetch/store-lines.ts";
import { hookUnit } from "./hook-line.ts";
import { parseDryRun } from "./nix-dry-run.ts";
import { buildFault, evaluationFault, nixFault } from "./nix-errors.ts";
import { isStorePath } from "./paths.ts";
import { rebootCommands } from "./reboot-commands.ts";
import { retryLines } from "./retry-lines.ts";
import { type RunOptions, runNix } from "./run-nix.ts";
import { readStoreObjects } from "./store-objects.ts";
import { inTransientUnit } from "./transient-unit.ts";
import { parseUnitState, type UnitEnd, type UnitState } from "./unit-state.ts";

/** What real commands work with. */
export interface NixCommandsOptions {
  readonly io: Io;
  /** Files of Nix's own directories. */
  readonly storeFiles: Files;
  readonly settings: CommandSettings;
  readonly lines: CommandLines;
  readonly talk: Talk;
}

const pollMs = 1_000;
const blkidFoundNothing = 2;
/** `systemctl stop` of a unit that is not there (any more). */
const notLoaded = 5;

/** {@link Commands} that are really run. */
export function nixCommands({
  io,
  storeFiles,
  settings,
  lines,
  talk,
}: NixCommandsOptions): Commands {
  const { paths, systemd } = settings;

  async function run(line: CommandLine, options: RunOptions = {}): Promise<ExecResult> {
    talk.emit({ type: "command", argv: shownArgv(line), run: true });
    const [file, ...args] = line.argv;
    const { onLine, stopSignal } = options;
    try {
      return await io.exec({
        file,
        args,
        timeoutMs: line.timeoutMs,
        ...(line.env === undefined ? {} : { env: line.env }),
        ...(line.effect === undefined ? {} : { effect: line.effect }),
        ...(options.cancel === true ? { signal: talk.signal } : {}),
        ...(stopSignal === undefined ? {} : { stopSignal }),
        ...(onLine === undefined ? {} : { onStderrLine: onLine }),
      });
    } catch (error) {
      if (!isFault(error, "exec/not-found")) throw error;
      const usual = file.startsWith("nix-") ? "system/nix-missing" : "system/activation-failed";
      throw new Fault(line.missing ?? usual, error.message, { cause: error });
    }
  }

  /** The store path that a command has made: by its root, else by what it printed. */
  function madePath(root: string, { stdout }: ExecResult, what: string): string {
    const printed = stdout.trim().split("\n").at(-1)?.trim().replace(/!.*$/, "") ?? "";
    for (const path of [storeFiles.readLink(root) ?? "", printed]) {
      if (isStorePath(paths.store, path)) return path;
    }
    throw new Fault(
      "system/nix-failed",
      `${what}: expected a store path, got ${printed || "nothing"}`,
    );
  }

  /**
   * Roots the derivation that an unprivileged evaluation has named. Its word is not taken: it must be
   * a derivation, and the store must hold it.
   */
  async function takeDerivation({ stdout }: ExecResult, root: string): Promise<string> {
    const named = stdout.trim();
    const refuse = (what: string) =>
      new Fault("system/evaluation-failed", `nix-instantiate: ${what}: ${named.slice(0, 300)}`);
    if (!isStorePath(paths.store, named) || !named.endsWith(".drv")) {
      throw refuse("expected one derivation of the store, got");
    }
    storeFiles.link(named, root);
    const check = await run(lines.checkValid(named));
    if (check.code === 0) return named;
    storeFiles.remove(root);
    throw refuse("the store does not hold the derivation");
  }

  async function unitState(unit: string): Promise<UnitState> {
    const { code, stdout } = await run(lines.unitState(unit));
    // A systemd that does not answer, as while it starts itself anew, says nothing of the unit.
    return code === 0 ? parseUnitState(stdout) : { active: true, end: undefined };
  }

  /** Waits for a unit to end, and stops it when it takes longer than an activation may. */
  async function endOfUnit(unit: string): Promise<UnitEnd | undefined> {
    const deadline = io.clock.monotonicMs() + settings.activationTimeoutMs + stopGraceMs;
    let state = await unitState(unit);
    while (state.active && io.clock.monotonicMs() < deadline) {
      await io.clock.sleep(pollMs);
      state = await unitState(unit);
    }
    if (!state.active) return state.end;
    await run(lines.stopUnit(unit));
    return { exitCode: null, timedOut: true };
  }

  /** The same, and forgets it. */
  async function settleUnit(unit: string): Promise<void> {
    if ((await endOfUnit(unit)) !== undefined) await run(lines.resetUnit(unit));
  }

  async function holdWayBack({ txn, renews }: WayBackHold): Promise<boolean> {
    if ((await run(lines.wayBackState(txn))).code !== 0) return false;
    return !renews || (await run(lines.renewWayBack(txn))).code === 0;
  }

  async function stopRetry(): Promise<void> {
    const stopped = await run(retryLines.stop);
    if (stopped.code !== 0 && stopped.code !== notLoaded) {
      throw nixFault(stopped, "stopping the timer of the next try", "system/retry-failed");
    }
  }

  async function unitLog(unit: string): Promise<string> {
    try {
      return (await run(lines.unitLog(unit))).stdout;
    } catch (error) {
      if (error instanceof Fault) return ""; // only words for the message
      throw error;
    }
  }

  /**
   * How an activation in a unit ended. systemd-run's own code does not say it: for a unit that
   * fails at once it is 1 whatever the unit's was (seen with systemd 252), and the unit outlives a
   * systemd-run that loses its connection.
   */
  async function unitSwitchEnd(unit: string, result: ExecResult): Promise<SwitchEnd> {
    if (result.code === 0) return { exitCode: 0, timedOut: false, relayed: false, output: "" };
    if (result.timedOut) await run(lines.stopUnit(unit));
    const end = await endOfUnit(unit);
    const output = `${result.stderr}\n${await unitLog(unit)}`;
    const timedOut = result.timedOut || end?.timedOut === true;
    if (end?.unstarted === true) await run(lines.resetUnit(unit));
    if (end === undefined || end.unstarted === true)
      return { exitCode: result.code, timedOut, relayed: true, output };
    return { exitCode: end.exitCode, timedOut, relayed: false, output };
  }

  /** Forgets a unit whose end is known, where it did not end well. */
  async function forgetEnd(unit: string, end: SwitchEnd): Promise<SwitchEnd> {
    if (end.exitCode !== 0 && !end.relayed) await run(lines.resetUnit(unit));
    return end;
  }

  async function runSwap(...swapLines: readonly CommandLine[]): Promise<void> {
    for (const line of swapLines) {
      const result = await run(line);
      if (result.code !== 0) throw nixFault(result, line.argv.join(" "), "system/swap-failed");
    }
  }

  const nix = { io, storeFiles, settings, lines, talk, run };

  function evaluate(line: CommandLine, sourcesDigest: string): Promise<ExecResult> {
    return runNix(nix, {
      line,
      what: "evaluating the configuration",
      fault: (failed) => evaluationFault(failed, `${settings.hostSources}/${sourcesDigest}`),
    });
  }

  return {
    whoEvaluates: (sourcesDigest) => whoEvaluates(io.files, settings, sourcesDigest),
    async instantiate(evaluation) {
      const { sourcesDigest, txn } = evaluation;
      const by = whoEvaluates(io.files, settings, sourcesDigest);
      const result = await evaluate(lines.instantiate(evaluation, by), sourcesDigest);
      const root = derivationRoot(paths, txn);
      return by === "root"
        ? madePath(root, result, "nix-instantiate")
        : takeDerivation(result, root);
    },
    async evaluatesTo(evaluation) {
      const { sourcesDigest } = evaluation;
      const by = whoEvaluates(io.files, settings, sourcesDigest);
      const result = await evaluate(lines.evaluate(evaluation, by), sourcesDigest);
      const printed = result.stdout.trim().replace(/^"(.*)"$/, "$1");
      if (isStorePath(paths.store, printed)) return printed;
      throw new Fault("system/nix-failed", `expected a store path, got ${printed.slice(0, 200)}`);
    },
    async failedUnits() {
      if (!systemd) return [];
      const { stdout } = await run(lines.failedUnits());
      const units = parseFailedUnits(stdout);
      if (units.length === 0) return [];
      const shown = await run(lines.failedSince(units));
      return parseFailedSince(units, shown.stdout, parseUptime(io.files.readText("/proc/uptime")));
    },
    async dryRun(derivation) {
      const result = await run(lines.dryRun(derivation), { cancel: true, stopSignal: "SIGINT" });
      if (result.aborted) throw nixFault(result, "looking at what is to be built");
      return result.code === 0 ? parseDryRun(result.stderr) : undefined;
    },
    async build(building) {
      const result = await runNix(nix, {
        line: lines.build(building),
        what: "building the system",
        derivation: building.derivation,
        fault: buildFault,
      });
      return madePath(systemRoot(paths, building.txn), result, "nix-store --realise");
    },
    async stopBuild(txn) {
      const line = lines.stopScopes(...buildUnits(txn));
      if (line === undefined) return;
      const result = await run(line);
      if (result.code !== 0 && result.code !== notLoaded)
        throw nixFault(result, "stopping a build");
    },
    async swapOnFile(file, bytes) {
      await runSwap(lines.allocate(file, bytes), lines.makeSwap(file), lines.swapOn(file));
    },
    async swapOnZram(device, bytes) {
      await runSwap(lines.setUpZram(device, bytes), lines.makeSwap(device), lines.swapOn(device));
    },
    loadZram: () => runSwap(lines.loadZram()),
    swapOff: (place) => runSwap(lines.swapOff(place)),
    resetZram: (device) => runSwap(lines.resetZram(device)),
    async isOurSwap(device) {
      const { code, stdout } = await run(lines.contentOf(device));
      if (code === blkidFoundNothing) return null;
      return stdout.split("\n").includes(`LABEL=${swapName}`);
    },
    async addRoot(root) {
      const result = await run(lines.addRoot(root));
      if (result.code !== 0) throw nixFault(result, root.toplevel, "system/closure-missing");
    },
    async syncStore() {
      const result = await run(lines.syncStore());
      if (result.code !== 0) throw nixFault(result, "syncing the store to disk");
    },
    async syncBoot() {
      const places = hostBootPlaces(io.files);
      if (places.length === 0) return;
      const result = await run(lines.syncBoot(places));
      if (result.code !== 0) throw nixFault(result, "syncing the boot partition to disk");
    },
    async setProfile(toplevel) {
      const result = await run(lines.setProfile(toplevel));
      if (result.code !== 0) throw nixFault(result, "setting the system profile");
    },
    async switchGeneration(generation) {
      const result = await run(lines.switchGeneration(generation));
      if (result.code !== 0) throw nixFault(result, `going back to generation ${generation}`);
    },
    async deleteGenerations(generations) {
      const result = await run(lines.deleteGenerations(generations));
      if (result.code !== 0) throw nixFault(result, "deleting generations");
    },
    async collectGarbage(maxBytes) {
      const result = await run(lines.collectGarbage(maxBytes), { cancel: true });
      if (result.code !== 0) throw nixFault(result, "nix-store --gc");
    },
    async runHook(request) {
      const result = await run(lines.runHook(request));
      if (!systemd) return directEnd(result);
      const unit = hookUnit(request);
      return forgetEnd(unit, await unitSwitchEnd(unit, result));
    },
    async switchTo(request) {
      const result = await run(lines.switchTo(request));
      if (!systemd) return directEnd(result);
      const unit = switchUnit(request.purpose, request.txn);
      const end = await unitSwitchEnd(unit, result);
      // One that came past no lock begins again under the same name.
      return request.purpose === "switch" && !lockHeld(end) ? end : forgetEnd(unit, end);
    },
    async check(toplevel) {
      const result = await run(lines.check(toplevel), { cancel: true });
      return directEnd(result);
    },
    async dryActivate(toplevel) {
      const result = await run(lines.dryActivate(toplevel), { cancel: true });
      return directEnd(result);
    },
    store: nixStore((line) => run(line, { cancel: true }), storeLines(settings), io.files),
    storeObjects: (systems) =>
      readStoreObjects(systems, lines, (line) => run(line, { cancel: true })),
    async armWayBack({ txn, previous }) {
      const line = lines.armWayBack(txn, previous);
      if (line === undefined) return;
      const result = await run(line);
      if (result.code !== 0) throw nixFault(result, "systemd-run", "system/way-back-failed");
    },
    async disarmWayBack(txn) {
      const line = lines.disarmWayBack(txn);
      if (line === undefined) return;
      const result = await run(line);
      if (result.code !== 0 && result.code !== notLoaded) {
        throw nixFault(result, "stopping the timer of the way back", "system/way-back-failed");
      }
      await settleUnit(wayBackUnit(txn));
    },
    async armRestart({ txn, afterMs, renews }) {
      // Armed already where the firstlight of before died right after it.
      if (!(await holdWayBack({ txn, renews }))) {
        const result = await run(lines.armRestart(txn, afterMs));
        if (result.code !== 0) throw nixFault(result, "systemd-run", "system/way-back-failed");
      }
      const stopped = await run(lines.stopDeadline());
      if (stopped.code !== 0 && stopped.code !== notLoaded) {
        throw nixFault(stopped, "stopping the deadline of the trial", "system/way-back-failed");
      }
    },
    holdWayBack,
    stopRetry,
    async armRetry(afterMs) {
      await stopRetry();
      const result = await run(retryLines.arm(afterMs));
      if (result.code !== 0) throw nixFault(result, "systemd-run", "system/retry-failed");
    },
    async endOfSwitch(txn) {
      const unit = switchUnit("switch", txn);
      const end = await endOfUnit(unit);
      if (end === undefined) return undefined;
      const { exitCode, timedOut } = end;
      return { exitCode, timedOut, relayed: false, output: await unitLog(unit) };
    },
    async forgetSwitch(txn) {
      if (systemd) await run(lines.resetUnit(switchUnit("switch", txn)));
    },
    ...rebootCommands({
      files: io.files,
      storeFiles,
      paths,
      lines,
      run,
      // Firmware and kernel are out of the reach of firstlight's own unit.
      runOutside: (line) => run(systemd ? inTransientUnit(line, { properties: [] }) : line),
    }),
    async disarmAll() {
      const line = lines.disarmAll();
      if (line === undefined) return;
      const result = await run(line);
      if (result.code !== 0 && result.code !== notLoaded) {
        throw nixFault(result, "stopping the timers of the way back", "system/way-back-failed");
      }
    },
    async awaitSwitch(txn) {
      if (!systemd) return;
      for (const purpose of ["switch", "back", "boot"] as const) {
        await settleUnit(switchUnit(purpose, txn));
      }
    },
  };
}

function directEnd({ code, timedOut, stdout, stderr }: ExecResult): SwitchEnd {
  return { exitCode: code, timedOut, relayed: false, output: `${stdout}\n${stderr}` };
}
