import { rmSync } from "node:fs";
import { canonicalJson, prettyJson, sha256 } from "#core/canonical-json.ts";
import { hostClock } from "#core/host-io.ts";
import { silentLog } from "#core/log.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { Release } from "#generated/protocol/trust/release.ts";
import type { Assignment } from "#protocol/trust/assignment.ts";
import { systemClient } from "#provisioner/system/client.ts";
import type { FakeLoader } from "#provisioner/system/fake-firmware.ts";
import {
  type FakeMachine,
  type FakeProcess,
  fakeMachine,
} from "#provisioner/system/fake-machine.ts";
import { hostCourier } from "#provisioner/system/fetch/host-courier.ts";
import type { Processes } from "#provisioner/system/lock.ts";
import { machineDirectory } from "#provisioner/system/machine-directory.ts";
import type { RebootPolicy } from "#provisioner/system/trial-way.ts";
import type { DatasourceContent } from "../datasources/datasource.ts";
import { content, type FullDeps, boot as goBoot, prepare } from "../fake-boot.ts";
import type { Outcome } from "../outcome.ts";
import type { NodeKind } from "./compatible.ts";
import { followBoot } from "./follow-boot.ts";
import { readCommitted } from "./kept-release.ts";
import { type LedgerRecord, readLedger } from "./ledger.ts";
import { releasedObtainer } from "./obtain-release.ts";
import { assignedFile } from "./places.ts";
import { withRelease } from "./release-content.ts";
import { runUpdate, type UpdateDeps, type UpdateRun } from "./run-update.ts";
import { settleKept } from "./settle-kept.ts";
import { openTracker } from "./tracker.ts";
import type { verifyAssigned } from "./verify-assigned.ts";

/** What the fleet assigns in a test. */
export interface Assigning {
  readonly id?: string;
  readonly name?: string;
  readonly number?: number;
  readonly spec?: object;
  readonly update?: Omit<Assignment["update"], "id">;
  readonly release?: Partial<Assignment["release"]>;
  /** What else the document says. */
  readonly document?: object;
  /** The release is this built system, and has no spec. */
  readonly closure?: Release["closure"];
  readonly closures?: Assignment["closures"];
}

/** How a process of a test differs from another. */
export interface Life {
  /** Dies before the effect with this number. */
  readonly dieAt?: number;
  /** The time of day at its begin. */
  readonly nowMs?: number;
  /** What a trial may do that takes a restart. */
  readonly reboot?: RebootPolicy;
  readonly settings?: Settings;
  readonly probe?: FullDeps["probe"];
  readonly obtain?: FullDeps["obtain"];
  /** Where built systems are, and whose word on them counts. */
  readonly fetch?: Fetching;
  /** Takes what is assigned for verified where absent: most tests sign nothing. */
  readonly verify?: typeof verifyAssigned;
  readonly bring?: UpdateDeps["bring"];
  readonly onChange?: UpdateDeps["onChange"];
  readonly kind?: Partial<NodeKind>;
}

/** How a node of a test fetches. */
export interface Fetching {
  readonly mirrors: readonly string[];
  readonly trustedKeys: readonly string[];
}

/** A node of a fleet: a machine for tests, with the documents of a cloud, and updates. */
export interface FakeNode {
  readonly m: FakeMachine;
  /** What the cloud says; a test may change it. */
  userData: string;
  assign(assigning?: Assigning): Assignment;
  /** The fleet wants nothing any more. */
  withdraw(): void;
  /** One run of the unit; `undefined` where it died. */
  run(life?: Life): Promise<UpdateRun | undefined>;
  boot(life?: Life): Promise<Outcome | undefined>;
  records(): readonly LedgerRecord[];
  /** States that the update went through, in order. */
  states(): readonly string[];
  /** Restarts the machine, if that was asked for. */
  restart(): boolean;
  /** A process that looks. */
  start(): FakeProcess;
}

const checks = { passes: 1, interval: "1s", timeout: "1s", soak: "0s" };
/** What a spec of these tests asks of health: one look, and that is well. */
export const health = checks;
/** One look at a file that {@link failing} never finds. */
export const sick = { ...checks, checks: [{ type: "file", path: "/ready" }] };

/** Nothing that a spec asks for is there; what it does not ask for is well. */
export const failing: FullDeps["probe"] = async ({ type }) => ({
  passed: type !== "file",
  message: "file /ready: must exist",
});

/** A probe by which only a trial fails: the system from before passes what it fails. */
export function failingOnTrial(m: FakeMachine): FullDeps["probe"] {
  return async ({ type }) => ({
    passed: type !== "file" || m.running() === m.bootDefault(),
    message: "file /ready: must exist",
  });
}

/** A node that was booted once with what its cloud says. */
export async function fakeNode(
  t: { testdir(): string; teardown(work: () => void): void },
  loader: FakeLoader = "systemd-boot",
): Promise<FakeNode> {
  const root = machineDirectory("update");
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const m = fakeMachine(root, { loader });
  const isWell = ([verb, ...rest]: readonly string[]) =>
    verb === "list-units" || (verb === "show" && rest.some((arg) => arg.includes("*")));
  m.faults.answers.set("systemctl", ({ args }) => (isWell(args) ? {} : undefined));
  const processes: Processes = { self: () => ({ pid: 1, started: "1" }), isAlive: () => false };

  const depsOf = (
    life: Life,
    change: Pick<FullDeps, "io" | "system"> & Partial<FullDeps>,
  ): FullDeps => {
    const { settings = {}, probe = failing, obtain, fetch } = life;
    const { io, system } = change;
    const obtaining = {
      ...{ system, settings, log: silentLog, courier: hostCourier(io.files) },
      io: { ...io, clock: hostClock }, // a download takes time, and a clock that never waits has none
      ...{ signed: undefined, signal: new AbortController().signal },
    };
    const signed = { closures: [], mirrors: fetch?.mirrors ?? [] };
    return prepare(t, {
      ...{ settings, probe, ...change },
      ...(obtain === undefined ? {} : { obtain }),
      obtainReleased: releasedObtainer(obtaining, signed),
    }).deps;
  };

  const found = async (
    { io, system }: Pick<FullDeps, "io" | "system">,
    release?: Parameters<typeof withRelease>[1],
  ): Promise<DatasourceContent> => {
    await settleKept(io, system);
    const kept = release ?? readCommitted(io.files);
    const said = content(node.userData);
    return kept === undefined ? said : withRelease(said, kept);
  };

  async function live<T>(life: Life, work: (process: FakeProcess) => Promise<T>) {
    const { dieAt, reboot, fetch } = life;
    const process = m.start({
      ...(fetch === undefined ? {} : { fetch: { trustedKeys: fetch.trustedKeys } }),
      ...(dieAt === undefined ? {} : { dieAt }),
      ...(reboot === undefined ? {} : { reboot }),
    });
    const { clock } = process.io;
    if (life.nowMs !== undefined) clock.jump(life.nowMs - clock.now());
    try {
      const came = await work(process);
      if (!process.dead()) process.system.close();
      return process.dead() ? undefined : came;
    } catch (error) {
      if (process.dead()) return undefined;
      throw error;
    }
  }

  const node: FakeNode = {
    m,
    userData: `#cloud-config\nhostname: cloud\nfirstlight: { health: ${JSON.stringify(health)} }\n`,
    assign(assigning = {}) {
      const { id = "u-1", name = "edge-1", number = 1, spec = {}, document = {} } = assigning;
      const { closure } = assigning;
      const said = { version: 1, hostname: "fleet", health, ...spec };
      const payload = closure === undefined ? { spec: said } : { closure: { ...closure }, health };
      const text = canonicalJson({ v: 1, name, number, ...payload, ...document });
      const path = `release/${name}`;
      const assignment: Assignment = {
        updateId: id,
        release: {
          ...{ path, name, number, length: Buffer.byteLength(text), sha256: sha256(text) },
          ...assigning.release,
        },
        update: { id, ...assigning.update },
        closures: assigning.closures ?? [],
      };
      const documents = { [path]: text };
      const receivedAt = "2026-01-01T00:00:00.000Z";
      m.write(assignedFile, prettyJson({ v: 1, assignment, envelope: {}, documents, receivedAt }));
      return assignment;
    },
    withdraw() {
      const nothing = { v: 1, assignment: null, envelope: {}, documents: {}, receivedAt: "" };
      m.write(assignedFile, prettyJson(nothing));
    },
    run: (life = {}) =>
      live(life, async ({ io, system: driver, dead }) => {
        const system = systemClient(driver);
        const tracker = openTracker(io, silentLog, processes);
        const run = await runUpdate({
          ...{ io, log: silentLog, settings: life.settings ?? {}, system, tracker },
          verify: async (assigned) =>
            life.verify?.(assigned, { io, settings: life.settings ?? {} }),
          ...(life.bring === undefined ? {} : { bring: life.bring }),
          ...(life.onChange === undefined ? {} : { onChange: life.onChange }),
          nodeKind: async () => ({
            ...{ agent: "0.5.0", platform: "x86_64-linux", profile: null, ...life.kind },
          }),
          make: ({ system: followed, release }) => {
            const discover = () => found({ io, system: followed }, release);
            return goBoot(depsOf(life, { io, system: followed, discover, by: "update" }));
          },
        });
        if (dead()) return undefined;
        if (run.restart) await system.restart();
        return run;
      }),
    boot: (life = {}) =>
      live(life, async ({ io, system: driver, dead }) => {
        const client = systemClient(driver);
        const { system } = followBoot({ io, log: silentLog }, client, processes);
        const discover = () => found({ io, system });
        const outcome = await goBoot(depsOf(life, { io, system, discover }));
        if (dead()) return undefined;
        if (outcome.restart) await system.restart();
        return outcome;
      }),
    records: () => readLedger(m.start({ beside: true }).io.files).records,
    states: () => node.records().map(({ update }) => update.state),
    restart: () => m.restartIfAsked(),
    start: () => m.start({ beside: true }),
  };
  const first = await node.boot();
  if (first?.outcome !== "committed") throw new Error(`a first boot: ${first?.message}`);
  return node;
}
