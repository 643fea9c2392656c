import type { Transaction } from "kysely";
import { canonicalJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { RolloutDefinition } from "#generated/fleet/rollout/definition.ts";
import { command, newRollout, type RolloutCommand } from "../rollout/commands.ts";
import { isInProgress, isReportable, type NodeState } from "../rollout/node-states.ts";
import { deadlineOf, reconcile, type Step } from "../rollout/reconcile.ts";
import {
  type Decision,
  isEnded,
  type NodeProgress,
  type Rollout,
  type RolloutEvent,
  type RolloutNode,
} from "../rollout/rollout.ts";
import { cronWindow, type NodeWindow } from "../rollout/windows.ts";
import { type Lease, requireLease } from "./lease.ts";
import { nodeOfRow } from "./nodes.ts";
import type { RegistryDatabase } from "./open-database.ts";
import type { DesiredTable, RolloutNodeTable, Tables } from "./tables.ts";

/** What a node is to be told, because it was not told yet. */
export interface Untold {
  readonly node: string;
  readonly revision: number;
  readonly rollout: string;
  /** `null`: nothing is desired of it any more. */
  readonly update: {
    readonly updateId: string;
    readonly release: { readonly name: string; readonly number: number };
    /** It goes back, and waits for no window. */
    readonly urgent: boolean;
    /** For the node's own clock, where the rollout has one window. */
    readonly window?: NodeWindow;
    /** When the rollout ends; after that the node begins no more. */
    readonly deadlineMs: number;
  } | null;
}

/** Something that happened to a rollout. */
export interface HistoryEntry {
  readonly seq: number;
  readonly atMs: number;
  readonly event:
    | RolloutEvent
    | { readonly event: "command"; readonly command: string; readonly by: string };
}

/** Rollouts as they are kept. */
export interface Rollouts {
  /** Throws `registry/conflict` when there is one by this name already. */
  start(fleet: string, definition: RolloutDefinition, by: string): Promise<Rollout>;
  /** Throws `registry/unknown`. */
  get(fleet: string, name: string): Promise<Rollout>;
  /** Names of those that may still change something, oldest first. */
  live(fleet: string): Promise<readonly string[]>;
  /** Throws `registry/unknown`, `rollout/refused`. */
  command(
    fleet: string,
    name: string,
    given: { readonly command: RolloutCommand; readonly by: string; readonly reason: string },
  ): Promise<Rollout>;
  /**
   * One step: what was decided is written, with what every node is to be told, before anything is done
   * about it. Throws `registry/unknown`, `registry/lease-lost`.
   */
  step(fleet: string, name: string, lease?: Lease): Promise<Step>;
  /** What nodes are to be told; whoever tells them marks it afterwards, and tells it again when in doubt. */
  untold(fleet: string, limit: number): Promise<readonly Untold[]>;
  /** Marks that a node was told this; what was decided meanwhile stays to be told. */
  told(fleet: string, of: Pick<Untold, "node" | "revision">): Promise<void>;
  history(fleet: string, name: string): Promise<readonly HistoryEntry[]>;
}

/** Rows of one statement; SQLite takes 32,766 values. */
const rowsAtOnce = 500;

export function openRollouts(database: RegistryDatabase): Rollouts {
  const { db } = database;
  return {
    async start(fleet, definition, by) {
      const nowMs = await database.now();
      const rollout = newRollout(definition, nowMs);
      await database.transaction(async (transaction) => {
        const { name } = definition;
        const done = await transaction
          .insertInto("rollout")
          .values({
            ...{ fleet, name, revision: 1, live: 1, started_ms: nowMs },
            header: canonicalJson(rollout),
          })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        if (Number(done.numInsertedOrUpdatedRows ?? 0) === 0)
          throw new Fault("registry/conflict", `there is a rollout ${name} already`, {
            hint: "a rollout is never begun twice: give it another name",
          });
        await addHistory(transaction, { fleet, name, nowMs }, [
          { event: "command", command: "start", by },
        ]);
      });
      return rollout;
    },
    get: (fleet, name) => load(db, fleet, name).then(({ rollout }) => rollout),
    async live(fleet) {
      const rows = await db
        .selectFrom("rollout")
        .select("name")
        .where("fleet", "=", fleet)
        .where("live", "=", 1)
        .orderBy("started_ms")
        .orderBy("name")
        .execute();
      return rows.map(({ name }) => name);
    },
    async command(fleet, name, { command: given, by, reason }) {
      const nowMs = await database.now();
      return database.transaction(async (transaction) => {
        const { rollout, revision } = await load(transaction, fleet, name);
        const changed = command(rollout, given, { nowMs, reason });
        await save(transaction, { fleet, name, revision, live: 1 }, changed);
        await addHistory(transaction, { fleet, name, nowMs }, [
          { event: "command", command: given, by },
        ]);
        return changed;
      });
    },
    async step(fleet, name, lease) {
      const nowMs = await database.now();
      return database.transaction(async (transaction) => {
        if (lease !== undefined) await requireLease(transaction, lease);
        const { rollout, revision } = await load(transaction, fleet, name);
        const nodes = await nodesOf(transaction, fleet, name);
        const step = reconcile(rollout, nodes, nowMs);
        await keepProgress(transaction, { fleet, name }, step.decisions);
        await keepDesired(transaction, { fleet, name, nowMs }, step.decisions);
        const events = step.decisions.flatMap((each) =>
          each.kind === "event" ? [each.event] : [],
        );
        await addHistory(transaction, { fleet, name, nowMs }, events);
        const inProgress = step.tally.waves.some((wave) => wave.inProgress > 0);
        const live = isEnded(step.rollout.phase) && !inProgress ? 0 : 1;
        if (step.rollout !== rollout || live === 0)
          await save(transaction, { fleet, name, revision, live }, step.rollout);
        return step;
      });
    },
    async untold(fleet, limit) {
      const rows = await db
        .selectFrom("desired")
        .selectAll()
        .where("fleet", "=", fleet)
        .where((of) => of("published", "<", of.ref("revision")))
        .orderBy("at_ms")
        .orderBy("node")
        .limit(limit)
        .execute();
      const rollouts = new Map<string, Rollout>();
      for (const { rollout } of rows) {
        if (!rollouts.has(rollout)) rollouts.set(rollout, (await load(db, fleet, rollout)).rollout);
      }
      return rows.map((row) => untoldOf(row, rollouts.get(row.rollout)));
    },
    async told(fleet, { node, revision }) {
      await database.transaction(async (transaction) => {
        await transaction
          .updateTable("desired")
          .set({ published: revision })
          .where("fleet", "=", fleet)
          .where("node", "=", node)
          .where("published", "<", revision)
          .execute();
      });
    },
    async history(fleet, name) {
      const rows = await db
        .selectFrom("rollout_event")
        .select(["seq", "at_ms", "body"])
        .where("fleet", "=", fleet)
        .where("rollout", "=", name)
        .orderBy("seq")
        .execute();
      return rows.map(({ seq, at_ms, body }) => ({ seq, atMs: at_ms, event: JSON.parse(body) }));
    },
  };
}

type Reader = Pick<Transaction<Tables>, "selectFrom">;

async function load(
  reader: Reader,
  fleet: string,
  name: string,
): Promise<{ readonly rollout: Rollout; readonly revision: number }> {
  const row = await reader
    .selectFrom("rollout")
    .select(["header", "revision"])
    .where("fleet", "=", fleet)
    .where("name", "=", name)
    .executeTakeFirst();
  if (row === undefined)
    throw new Fault("registry/unknown", `there is no rollout ${JSON.stringify(name)}`);
  return { rollout: JSON.parse(row.header), revision: row.revision };
}

/** Throws `registry/conflict` when somebody else was quicker. */
async function save(
  transaction: Transaction<Tables>,
  at: {
    readonly fleet: string;
    readonly name: string;
    readonly revision: number;
    readonly live: number;
  },
  rollout: Rollout,
): Promise<void> {
  const done = await transaction
    .updateTable("rollout")
    .set({ header: canonicalJson(rollout), revision: at.revision + 1, live: at.live })
    .where("fleet", "=", at.fleet)
    .where("name", "=", at.name)
    .where("revision", "=", at.revision)
    .executeTakeFirst();
  if (Number(done.numUpdatedRows) === 0)
    throw new Fault("registry/conflict", `somebody else has changed the rollout ${at.name}`);
}

/** Every node of the fleet, with what this rollout and others have of it. */
async function nodesOf(
  transaction: Transaction<Tables>,
  fleet: string,
  name: string,
): Promise<readonly RolloutNode[]> {
  const rows = await transaction
    .selectFrom("node")
    .selectAll()
    .where("fleet", "=", fleet)
    .where("retired", "=", 0)
    .execute();
  const started = await transaction
    .selectFrom("rollout_node as started")
    .innerJoin("rollout", (join) =>
      join
        .onRef("rollout.name", "=", "started.rollout")
        .onRef("rollout.fleet", "=", "started.fleet"),
    )
    .selectAll("started")
    .where("started.fleet", "=", fleet)
    .where((of) => of.or([of("started.rollout", "=", name), of("rollout.live", "=", 1)]))
    .execute();
  const progress = new Map<string, NodeProgress>();
  const elsewhere = new Set<string>();
  for (const row of started) {
    if (row.rollout === name) progress.set(row.node, progressOf(row));
    else if (isInProgress(row.state as NodeState)) elsewhere.add(row.node);
  }
  return rows.map((row) => {
    const node = nodeOfRow(row);
    const update =
      node.update !== null && isReportable(node.update.state)
        ? { updateId: node.update.updateId, state: node.update.state }
        : null;
    const own = progress.get(node.node) ?? null;
    const other =
      update !== null && update.updateId !== own?.updateId && isInProgress(update.state);
    const busy = elsewhere.has(node.node) || (other && own === null);
    return { ...node, update, busy, progress: own };
  });
}

function progressOf(row: RolloutNodeTable): NodeProgress {
  const { from_name, from_number } = row;
  return {
    ...{ wave: row.wave, direction: row.direction as NodeProgress["direction"] },
    ...{ updateId: row.update_id, attempt: row.attempt, state: row.state as NodeState },
    ...{ sinceMs: row.since_ms, activeMs: row.active_ms },
    from:
      from_name === null || from_number === null ? null : { name: from_name, number: from_number },
  };
}

/** Of several decisions on a node the last one counts. */
function lastOfNode(decisions: readonly Decision[]) {
  const last = new Map<string, Exclude<Decision, { kind: "event" }>>();
  for (const decision of decisions)
    if (decision.kind !== "event") last.set(decision.node, decision);
  return [...last.values()];
}

async function keepProgress(
  transaction: Transaction<Tables>,
  { fleet, name }: { readonly fleet: string; readonly name: string },
  decisions: readonly Decision[],
): Promise<void> {
  const rows = lastOfNode(decisions).map(
    ({ node, progress }): RolloutNodeTable => ({
      ...{ fleet, rollout: name, node, wave: progress.wave, direction: progress.direction },
      ...{ update_id: progress.updateId, attempt: progress.attempt, state: progress.state },
      ...{ since_ms: progress.sinceMs, active_ms: progress.activeMs },
      ...{ from_name: progress.from?.name ?? null, from_number: progress.from?.number ?? null },
    }),
  );
  for (let at = 0; at < rows.length; at += rowsAtOnce) {
    await transaction
      .insertInto("rollout_node")
      .values(rows.slice(at, at + rowsAtOnce))
      .onConflict((conflict) =>
        conflict.columns(["fleet", "rollout", "node"]).doUpdateSet((of) => ({
          wave: of.ref("excluded.wave"),
          direction: of.ref("excluded.direction"),
          update_id: of.ref("excluded.update_id"),
          attempt: of.ref("excluded.attempt"),
          state: of.ref("excluded.state"),
          since_ms: of.ref("excluded.since_ms"),
          active_ms: of.ref("excluded.active_ms"),
        })),
      )
      .execute();
  }
}

async function keepDesired(
  transaction: Transaction<Tables>,
  { fleet, name, nowMs }: { readonly fleet: string; readonly name: string; readonly nowMs: number },
  decisions: readonly Decision[],
): Promise<void> {
  const rows = lastOfNode(decisions).flatMap((decision): DesiredTable[] => {
    if (decision.kind === "note") return [];
    const row = {
      fleet,
      node: decision.node,
      revision: 1,
      published: 0,
      rollout: name,
      at_ms: nowMs,
    };
    if (decision.kind === "withdraw")
      return [{ ...row, update_id: null, release_name: null, release_number: null, urgent: 0 }];
    const { release, progress } = decision;
    return [
      {
        ...{ ...row, update_id: progress.updateId, release_name: release.name },
        ...{ release_number: release.number, urgent: progress.direction === "back" ? 1 : 0 },
      },
    ];
  });
  for (let at = 0; at < rows.length; at += rowsAtOnce) {
    await transaction
      .insertInto("desired")
      .values(rows.slice(at, at + rowsAtOnce))
      .onConflict((conflict) =>
        conflict.columns(["fleet", "node"]).doUpdateSet((of) => ({
          revision: of("desired.revision", "+", 1),
          rollout: of.ref("excluded.rollout"),
          update_id: of.ref("excluded.update_id"),
          release_name: of.ref("excluded.release_name"),
          release_number: of.ref("excluded.release_number"),
          urgent: of.ref("excluded.urgent"),
          at_ms: of.ref("excluded.at_ms"),
        })),
      )
      .execute();
  }
}

function untoldOf(row: DesiredTable, of: Rollout | undefined): Untold {
  const { node, revision, rollout, update_id, release_name, release_number } = row;
  const told = { node, revision, rollout };
  if (of === undefined || update_id === null || release_name === null || release_number === null)
    return { ...told, update: null };
  const [window, ...others] = of.definition.windows ?? [];
  const urgent = row.urgent === 1;
  const hasWindow = window !== undefined && others.length === 0 && !urgent;
  return {
    ...told,
    update: {
      ...{ updateId: update_id, release: { name: release_name, number: release_number }, urgent },
      ...(hasWindow ? { window: cronWindow(window) } : {}),
      deadlineMs: (urgent ? of.sinceMs : of.startedMs) + deadlineOf(of.definition),
    },
  };
}

async function addHistory(
  transaction: Transaction<Tables>,
  { fleet, name, nowMs }: { readonly fleet: string; readonly name: string; readonly nowMs: number },
  events: readonly HistoryEntry["event"][],
): Promise<void> {
  if (events.length === 0) return;
  const { last } = await transaction
    .selectFrom("rollout_event")
    .select((of) => of.fn.max("seq").as("last"))
    .where("fleet", "=", fleet)
    .where("rollout", "=", name)
    .executeTakeFirstOrThrow();
  const first = Number(last ?? 0) + 1;
  await transaction
    .insertInto("rollout_event")
    .values(
      events.map((event, at) => ({
        ...{ fleet, rollout: name, seq: first + at, at_ms: nowMs, body: canonicalJson(event) },
      })),
    )
    .execute();
}
