import { silentLog } from "#core/log.ts";
import type { CommandAnswered } from "#generated/protocol/messages/command-answered.ts";
import type { CommandName } from "#protocol/command-names.ts";
import type { Command } from "#protocol/trust/command.ts";
import { timeText } from "#protocol/trust/metadata.ts";
import { systemClient } from "#provisioner/system/client.ts";
import type { GenerationRecord } from "#provisioner/system/system.ts";
import { driftRound } from "../drift-round.ts";
import { openSpool } from "../link/spool.ts";
import { rollBackTo } from "../roll-back.ts";
import { commandStore } from "../update/command-store.ts";
import { type FakeNode, failing, fakeNode } from "../update/fake-update.ts";
import { type CommandRun, carryOutCommands } from "./carry-out.ts";
import type { CommandDeps } from "./executor.ts";
import { gatherDiagnostics } from "./gather-diagnostics.ts";

/** One life of the process that carries commands out. */
export interface CommandLife {
  readonly dieAt?: number;
  readonly deps?: Partial<CommandDeps>;
  /** Added to the clock. */
  readonly lateMs?: number;
}

/** A node with two generations that a fleet commands; for tests. */
export interface CommandNode {
  readonly node: FakeNode;
  /** Effects of this test's own, in order. */
  readonly did: string[];
  /** What the node has as its credential. */
  credential: string | undefined;
  /** Remembers a command as whoever receives it does, verified. */
  give(name: CommandName, more?: Partial<Command>): Command;
  /** `undefined` where it died. */
  run(life?: CommandLife): Promise<CommandRun | undefined>;
  history(): Promise<readonly GenerationRecord[]>;
  /** What the fleet was told, in order. */
  told(): readonly CommandAnswered[];
}

const id = (n: number) => `0b5c0f0e-6c0b-4c3a-9d0e-${String(n).padStart(12, "0")}`;

/** A node that was booted once, and became one release. */
export async function commandNode(
  t: Parameters<typeof fakeNode>[0],
  spec: object = {},
): Promise<CommandNode> {
  const node = await fakeNode(t);
  node.assign({ spec });
  await node.run();
  if (node.restart()) await node.boot();
  const state = node.records().at(-1)?.update.state;
  if (state !== "SUCCEEDED") throw new Error(`an update: ${state}`);
  let given = 0;
  const did: string[] = [];
  const commands: CommandNode = {
    node,
    did,
    credential: "key-1",
    give(name, more = {}) {
      const { io } = node.start();
      const nowMs = io.clock.now();
      const at = timeText;
      const command: Command = {
        ...{ id: id(++given), name, arguments: {} },
        ...{ issued: at(nowMs), expires: at(nowMs + 300_000), ...more },
      };
      commandStore(io).take(command, nowMs);
      return command;
    },
    async run({ dieAt, deps = {}, lateMs = 0 } = {}) {
      const life = node.m.start(dieAt === undefined ? {} : { dieAt });
      const { io } = life;
      const system = systemClient(life.system);
      const common = { io, log: silentLog, system, version: "0.5.0", probe: failing };
      const report = () => {};
      const all: CommandDeps = {
        ...common,
        startUpdate: async () => {
          io.effect("start the update");
          did.push("update");
        },
        checkRelease: () => {},
        rollBack: (generation) => rollBackTo({ ...common, report }, generation),
        lookForDrift: async (deep) =>
          (await driftRound({ ...common, report }, { deep, repair: false, share: 1 })).report,
        credential: () => commands.credential,
        renew: async () => {
          io.effect("renew");
          commands.credential = `${commands.credential}+`;
          did.push("renew");
          return { fingerprint: commands.credential, untilMs: 0 };
        },
        diagnostics: () =>
          gatherDiagnostics({ io, system, version: "0.5.0", trust: { node: undefined } }),
        uploadHosts: ["files.example.org", "Files.example.org:8443"],
        upload: async (url) => void did.push(`upload ${url}`),
        ...deps,
      };
      try {
        const run = await carryOutCommands(all, {
          nowMs: () => io.clock.now() + lateMs,
          untilLook: () => new Promise((resolve) => void setImmediate(resolve)),
        });
        if (life.dead()) return undefined;
        life.system.close();
        return run;
      } catch (error) {
        if (life.dead()) return undefined;
        throw error;
      }
    },
    history: async () =>
      (await systemClient(node.m.start({ beside: true }).system).history()).generations,
    told: () =>
      [...openSpool(node.start().io.files, silentLog).after(0)]
        .flatMap(({ events }) => events)
        .filter(({ kind }) => kind === "command.answered")
        .map(({ body }) => body as unknown as CommandAnswered),
  };
  return commands;
}
