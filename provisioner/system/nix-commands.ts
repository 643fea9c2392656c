import { Fault, isFault } from "#core/fault.ts";
import type { ExecResult, Files, Io } from "#core/io.ts";
import {
  type CommandLine,
  type CommandLines,
  type CommandSettings,
  derivationRoot,
  shownArgv,
  switchUnit,
  systemRoot,
  wayBackUnit,
} from "./command-lines.ts";
import type { Commands, SwitchEnd, SwitchPurpose, Talk } from "./commands.ts";
import { buildFault, evaluationFault, nixFault } from "./nix-errors.ts";

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
/** `systemctl` about a unit that is not there (any more). */
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
    const { onLine } = options;
    try {
      return await io.exec({
        file,
        args,
        timeoutMs: line.timeoutMs,
        ...(line.env === undefined ? {} : { env: line.env }),
        ...(line.effect === undefined ? {} : { effect: line.effect }),
        ...(options.cancel === true ? { signal: talk.signal } : {}),
        ...(onLine === undefined ? {} : { onStderrLine: onLine }),
      });
    } catch (error) {
      if (!isFault(error, "exec/not-found")) throw error;
      const code = file.startsWith("nix-") ? "system/nix-missing" : "system/activation-failed";
      throw new Fault(code, error.message, { cause: error });
    }
  }

  /** The store path that a command has made: by its root, else by what it printed. */
  function madePath(root: string, { stdout }: ExecResult, what: string): string {
    const printed = stdout.trim().split("\n").at(-1)?.trim().replace(/!.*$/, "") ?? "";
    for (const path of [storeFiles.readLink(root) ?? "", printed]) {
      const name = path.startsWith(`${paths.store}/`) ? path.slice(paths.store.length + 1) : "";
      if (/^[0-9a-z]{32}-[0-9A-Za-z+._?=-]+$/.test(name)) return path;
    }
    throw new Fault(
      "system/nix-failed",
      `${what}: expected a store path, got ${printed || "nothing"}`,
    );
  }

  async function switchOutput(result: ExecResult, purpose: SwitchPurpose, txn: string) {
    const direct = `${result.stdout}\n${result.stderr}`.trim();
    if (!systemd || direct !== "" || result.code === 0) return direct;
    try {
      return (await run(lines.unitLog(switchUnit(purpose, txn)))).stdout.trim();
    } catch (error) {
      if (error instanceof Fault) return ""; // only words for the message
      throw error;
    }
  }

  async function isActive(unit: string): Promise<boolean> {
    const { code, stdout } = await run(lines.unitState(unit));
    return code === 0 && /^(active|activating|deactivating|reloading)$/.test(stdout.trim());
  }

  /** Waits for a unit to end; stops it when it takes longer than an activation may. */
  async function awaitUnit(unit: string): Promise<void> {
    const deadline = io.clock.monotonicMs() + settings.activationTimeoutMs;
    while (await isActive(unit)) {
      if (io.clock.monotonicMs() >= deadline) {
        await run(lines.stopUnit(unit));
        return;
      }
      await io.clock.sleep(pollMs);
    }
  }

  return {
    async instantiate(evaluation) {
      const onLine = (line: string) => talk.emit({ type: "build-log", line });
      const result = await run(lines.instantiate(evaluation), { cancel: true, onLine });
      const directory = `${settings.hostSources}/${evaluation.sourcesDigest}`;
      if (result.code !== 0) throw evaluationFault(result, directory);
      return madePath(derivationRoot(paths, evaluation.txn), result, "nix-instantiate");
    },
    async build(building) {
      const onLine = (line: string) => talk.emit({ type: "build-log", line });
      const result = await run(lines.build(building), { cancel: true, onLine });
      if (result.code !== 0) throw buildFault(result);
      return madePath(systemRoot(paths, building.txn), result, "nix-store --realise");
    },
    async addRoot(root) {
      const result = await run(lines.addRoot(root));
      if (result.code !== 0) throw nixFault(result, root.toplevel, "system/closure-missing");
    },
    async syncStore() {
      const result = await run(lines.syncStore());
      if (result.code !== 0) throw nixFault(result, "syncing the store to disk");
    },
    async setProfile(toplevel) {
      const result = await run(lines.setProfile(toplevel));
      if (result.code !== 0) throw nixFault(result, "setting the system profile");
    },
    async switchGeneration(generation) {
      const result = await run(lines.switchGeneration(generation));
      if (result.code !== 0) throw nixFault(result, `going back to generation ${generation}`);
    },
    async switchTo(request) {
      const { purpose, txn } = request;
      const result = await run(lines.switchTo(request));
      if (result.timedOut && systemd) await run(lines.stopUnit(switchUnit(purpose, txn)));
      // The unit outlives systemd-run when that loses its connection.
      if (result.code !== 0 && systemd) await awaitUnit(switchUnit(purpose, txn));
      return end(result, systemd, await switchOutput(result, purpose, txn));
    },
    async dryActivate(toplevel) {
      const result = await run(lines.dryActivate(toplevel), { cancel: true });
      return end(result, false, `${result.stdout}\n${result.stderr}`);
    },
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
      await awaitUnit(wayBackUnit(txn));
    },
    async awaitSwitch(txn) {
      if (!systemd) return;
      for (const purpose of ["switch", "back", "boot"] as const) {
        await awaitUnit(switchUnit(purpose, txn));
      }
    },
  };
}

interface RunOptions {
  /** Whether the caller's signal ends it. */
  readonly cancel?: boolean;
  readonly onLine?: (line: string) => void;
}

function end(result: ExecResult, relayed: boolean, output: string): SwitchEnd {
  return { exitCode: result.code, timedOut: result.timedOut, relayed, output };
}
