import { readBootId } from "#core/io.ts";
import type { CommandName } from "#protocol/command-names.ts";
import { readUpdateState } from "../update/read-state.ts";
import { collectDiagnostics } from "./collect-diagnostics.ts";
import { afterRestart, type Executor } from "./executor.ts";
import { rollback } from "./rollback.ts";
import { rotateCredential } from "./rotate-credential.ts";
import { runDriftScan } from "./run-drift-scan.ts";

const nothing = async () => ({});

const ping: Executor = {
  isQuick: true,
  knows: [],
  prepare: nothing,
  async carryOut(_order, { io: { files }, system, version }) {
    const [uptime = "0"] = (files.readText("/proc/uptime") ?? "").split(" ");
    const { running, bootDefault } = await system.status();
    return {
      ...{ agent: version, node: process.versions.node, bootId: readBootId(files) },
      kernel: files.readText("/proc/sys/kernel/osrelease")?.trim() || "unknown",
      uptimeSeconds: Math.floor(Number(uptime) || 0),
      ...{ generation: bootDefault.generation, toplevel: running },
    };
  },
};

/** Looks at what is assigned now; what comes of that is told as any update is. */
const update: Executor = {
  isQuick: true,
  knows: [],
  prepare: nothing,
  async carryOut(_order, { io, startUpdate }) {
    await startUpdate();
    const state = readUpdateState(io.files);
    if (state === undefined) return { updateState: "IDLE" };
    const { updateId } = state;
    return { updateState: state.state, ...(updateId === undefined ? {} : { updateId }) };
  },
};

/** Answered in the boot after the one that it was begun in, whatever ended that. */
const reboot: Executor = {
  isQuick: false,
  knows: [],
  prepare: async (_command, { io }) => ({ bootId: readBootId(io.files) }),
  async carryOut({ note }, { io, system }) {
    const bootId = readBootId(io.files);
    if (note["bootId"] !== bootId) return { bootId };
    await system.restart({ plain: true });
    return afterRestart;
  },
  hasDoneNothing: async () => true,
};

/** Everything that a fleet can have done. */
export const executors: Readonly<Record<CommandName, Executor>> = {
  update,
  rollback,
  reboot,
  "rotate-credential": rotateCredential,
  "collect-diagnostics": collectDiagnostics,
  "run-drift-scan": runDriftScan,
  ping,
};
