import { canonicalJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { NodeAddress } from "#protocol/topics.ts";
import type { RegistryDatabase } from "./open-database.ts";
import { labelFault, matches, parseSelector, type Selectable } from "./selector.ts";
import type { NodeTable, OutcomeTable, ReleaseTable } from "./tables.ts";

/** A node as the registry shows it. */
export interface RegisteredNode extends Selectable {
  readonly fleet: string;
  readonly online: boolean;
  readonly cordoned: boolean;
  readonly retired: boolean;
  readonly joinedMs: number;
  readonly seenMs: number;
  readonly timezone: string | undefined;
  readonly release: { readonly name: string; readonly number: number } | null;
  readonly update: { readonly updateId: string; readonly state: string } | null;
}

/** What an operator may change of a node. */
export interface NodeChange {
  /** `null` takes a label away. */
  readonly labels?: Readonly<Record<string, string | null>>;
  readonly cordoned?: boolean;
  /** What a retired node says is refused. */
  readonly retired?: boolean;
  readonly timezone?: string | null;
}

/** Nodes, groups, releases, and what was counted. */
export interface Nodes {
  /** Registers a node before it has said anything; whether it was new. Throws `link/name-invalid`. */
  register(address: NodeAddress): Promise<boolean>;
  /** Those that a selector takes, by name; retired ones only where they are asked for. Throws `selector/invalid`. */
  list(
    fleet: string,
    selector: string,
    options?: { readonly retired?: boolean },
  ): Promise<readonly RegisteredNode[]>;
  /** Throws `registry/unknown`, `selector/invalid` for a label that could not be selected. */
  change(address: NodeAddress, change: NodeChange): Promise<void>;
  /** Newest bodies of a node by topic. Throws `registry/unknown`. */
  reports(address: NodeAddress): Promise<Readonly<Record<string, unknown>>>;
  outcomes(address: NodeAddress): Promise<readonly OutcomeTable[]>;
  /** Messages that were refused, by node and reason. */
  refusals(
    fleet: string,
  ): Promise<readonly { readonly node: string; readonly reason: string; readonly count: number }[]>;
  /** Streams with events that were lost, or that have not come yet. */
  gaps(fleet: string): Promise<
    readonly {
      readonly node: string;
      readonly stream: string;
      readonly missing: number;
      readonly lost: number;
    }[]
  >;
  /** Names a selector. Throws `selector/invalid`. */
  setGroup(fleet: string, name: string, selector: string | null): Promise<void>;
  groups(fleet: string): Promise<Readonly<Record<string, string>>>;
  /** Throws `registry/conflict` where the number has another content. */
  addRelease(release: Omit<ReleaseTable, "added_ms">): Promise<void>;
  releases(fleet: string): Promise<readonly ReleaseTable[]>;
}

export function openNodes(database: RegistryDatabase): Nodes {
  const { db } = database;
  const unknown = ({ fleet, node }: NodeAddress) =>
    new Fault(
      "registry/unknown",
      `there is no node ${JSON.stringify(node)} in ${JSON.stringify(fleet)}`,
    );
  return {
    async register({ fleet, node }) {
      const nowMs = await database.now();
      return database.transaction(async (transaction) => {
        const done = await transaction
          .insertInto("node")
          .values({
            ...{ fleet, node, joined_ms: nowMs, seen_ms: 0, labels: canonicalJson({}) },
            ...{ cordoned: 0, retired: 0, online: 0, update_seq: 0 },
          })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        return Number(done.numInsertedOrUpdatedRows ?? 0) > 0;
      });
    },
    async list(fleet, text, { retired = false } = {}) {
      const selector = parseSelector(text);
      const rows = await db
        .selectFrom("node")
        .selectAll()
        .where("fleet", "=", fleet)
        .where("retired", "in", retired ? [0, 1] : [0])
        .orderBy("node")
        .execute();
      return rows.map(nodeOfRow).filter((node) => matches(selector, node));
    },
    change: (address, change) =>
      database.transaction(async (transaction) => {
        const row = await transaction
          .selectFrom("node")
          .select("labels")
          .where("fleet", "=", address.fleet)
          .where("node", "=", address.node)
          .executeTakeFirst();
        if (row === undefined) throw unknown(address);
        await transaction
          .updateTable("node")
          .set({
            labels: changedLabels(row.labels, change.labels ?? {}),
            ...(change.cordoned === undefined ? {} : { cordoned: Number(change.cordoned) }),
            ...(change.retired === undefined ? {} : { retired: Number(change.retired) }),
            ...(change.timezone === undefined ? {} : { timezone: change.timezone }),
          })
          .where("fleet", "=", address.fleet)
          .where("node", "=", address.node)
          .execute();
      }),
    async reports({ fleet, node }) {
      const rows = await db
        .selectFrom("report")
        .select(["topic", "body"])
        .where("fleet", "=", fleet)
        .where("node", "=", node)
        .execute();
      if (rows.length === 0) throw unknown({ fleet, node });
      return Object.fromEntries(rows.map(({ topic, body }) => [topic, JSON.parse(body)]));
    },
    async outcomes({ fleet, node }) {
      const rows = await db
        .selectFrom("outcome")
        .selectAll()
        .where("fleet", "=", fleet)
        .where("node", "=", node)
        .orderBy("at")
        .orderBy("seq")
        .execute();
      return rows.map((row) => ({ ...row }));
    },
    async refusals(fleet) {
      const rows = await db
        .selectFrom("refusal")
        .select(["node", "reason", "count"])
        .where("fleet", "=", fleet)
        .orderBy("node")
        .orderBy("reason")
        .execute();
      return rows.map((row) => ({ ...row }));
    },
    async gaps(fleet) {
      const rows = await db
        .selectFrom("stream")
        .select(["node", "stream", "highest", "up_to", "lost"])
        .where("fleet", "=", fleet)
        .where((of) => of.or([of("lost", ">", 0), of("highest", ">", of.ref("up_to"))]))
        .orderBy("node")
        .execute();
      const withMissing = rows.map(async ({ node, stream, highest, up_to, lost }) => {
        const counted = await db
          .selectFrom("event")
          .select((of) => of.fn.countAll().as("count"))
          .where("stream", "=", stream)
          .where("seq", ">", up_to)
          .executeTakeFirstOrThrow();
        return { node, stream, missing: highest - up_to - Number(counted.count), lost };
      });
      return Promise.all(withMissing);
    },
    async setGroup(fleet, name, selector) {
      if (selector !== null) parseSelector(selector);
      await database.transaction(async (transaction) => {
        const of = transaction.deleteFrom("node_group").where("fleet", "=", fleet);
        await of.where("name", "=", name).execute();
        if (selector === null) return;
        await transaction.insertInto("node_group").values({ fleet, name, selector }).execute();
      });
    },
    async groups(fleet) {
      const rows = await db
        .selectFrom("node_group")
        .select(["name", "selector"])
        .where("fleet", "=", fleet)
        .orderBy("name")
        .execute();
      return Object.fromEntries(rows.map(({ name, selector }) => [name, selector]));
    },
    async addRelease(release) {
      const nowMs = await database.now();
      await database.transaction(async (transaction) => {
        await transaction
          .insertInto("release")
          .values({ ...release, added_ms: nowMs })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        const { sha256 } = await transaction
          .selectFrom("release")
          .select("sha256")
          .where("fleet", "=", release.fleet)
          .where("name", "=", release.name)
          .where("number", "=", release.number)
          .executeTakeFirstOrThrow();
        if (sha256 === release.sha256) return;
        throw new Fault(
          "registry/conflict",
          `release ${release.name} ${release.number} is there already, with another content`,
          { hint: "give it a number of its own" },
        );
      });
    },
    async releases(fleet) {
      const rows = await db
        .selectFrom("release")
        .selectAll()
        .where("fleet", "=", fleet)
        .orderBy("name")
        .orderBy("number")
        .execute();
      return rows.map((row) => ({ ...row }));
    },
  };
}

/** A row of the table as a node. */
export function nodeOfRow(row: NodeTable): RegisteredNode {
  const { release_name, release_number, update_id, update_state } = row;
  return {
    ...{ fleet: row.fleet, node: row.node, labels: JSON.parse(row.labels) },
    ...{ online: row.online === 1, cordoned: row.cordoned === 1, retired: row.retired === 1 },
    ...{ joinedMs: row.joined_ms, seenMs: row.seen_ms, timezone: row.timezone ?? undefined },
    ...{ hardware: row.hardware ?? undefined, platform: row.platform ?? undefined },
    ...{ agent: row.agent ?? undefined, datasource: row.datasource ?? undefined },
    release:
      release_name === null || release_number === null
        ? null
        : { name: release_name, number: release_number },
    update:
      update_id === null || update_state === null
        ? null
        : { updateId: update_id, state: update_state },
  };
}

function changedLabels(text: string, change: Readonly<Record<string, string | null>>): string {
  const labels = new Map<string, string>(Object.entries(JSON.parse(text)));
  for (const [key, value] of Object.entries(change)) {
    const fault = value === null ? undefined : labelFault(key, value);
    if (fault !== undefined) throw new Fault("selector/invalid", `label: ${fault}`);
    if (value === null) labels.delete(key);
    else labels.set(key, value);
  }
  return canonicalJson(Object.fromEntries(labels));
}
