import type { Test } from "tap";
import { fc } from "#core/fast-check.ts";
import { randomFrom } from "#core/random-from.ts";
import type { RolloutDefinition } from "#generated/fleet/rollout/definition.ts";
import { restore } from "./backup.ts";
import { changed, fakeNode, fleet } from "./fake-node.ts";
import type { Incoming, Ingested } from "./ingest.ts";
import { openDatabase } from "./open-database.ts";
import { openRegistry, type Registry } from "./open-registry.ts";

/** Where a test may put a registry of its own; a new one each time, `shared` one that is opened again. */
export type NewAddress = (shared?: "shared") => Promise<string>;

const started = { by: "boot", agent: "0.1.0" };
const gap = { dropped: 2, byKind: { "boot.stage": 2 }, firstSeq: 2, lastSeq: 3 };

/** What holds for a registry on either engine. */
export function checkRegistry(t: Test, newAddress: NewAddress): void {
  const open = async (t: Test, admit: "known" | "any" = "any", address?: string) => {
    const store = await openRegistry(address ?? (await newAddress()), { admit });
    t.teardown(() => store.close());
    return store;
  };
  t.test("an event is stored once, and acknowledged up to where none is missing", async (t) => {
    const store = await open(t);
    const node = fakeNode("edge-1", 1);
    const ack = (upTo: number) => ({ ack: { fleet, node: "edge-1", stream: node.outbox, upTo } });
    const note = (seq: number) => node.event(seq, "kind.of.later", { seq });
    t.match(await store.ingest(note(1)), { outcome: "stored", ...ack(1) });
    t.match(await store.ingest(note(4)), { outcome: "stored", ...ack(1) });
    t.match(await store.ingest(note(1)), { outcome: "duplicate", ...ack(1) });
    t.strictSame(await store.nodes.gaps(fleet), [
      { node: "edge-1", stream: node.outbox, missing: 2, lost: 0 },
    ]);
    t.match(await store.ingest(node.event(5, "gap", gap)), { outcome: "stored", ...ack(5) });
    t.strictSame(await store.nodes.gaps(fleet), []);
    const other = node.event(4, "kind.of.later", { seq: "forged" });
    t.strictSame(await store.ingest(other), { outcome: "refused", reason: "conflicting" });
  });

  t.test("what is forged, foreign or no message is told apart and counted", async (t) => {
    const store = await open(t, "known");
    const [node, thief] = [fakeNode("edge-1", 1), fakeNode("edge-2", 1)];
    await store.nodes.register({ fleet, node: "edge-1" });
    await store.nodes.register({ fleet, node: "edge-2" });
    const good = node.event(1, "kind", {});
    t.match(await store.ingest(good), { outcome: "stored" });
    const cases: readonly (readonly [Incoming, string])[] = [
      [thief.event(2, "kind", {}), "foreign-stream"],
      [{ ...good, publisher: { fleet, node: "edge-2" } }, "impersonated"],
      [{ ...good, payload: new TextEncoder().encode("{") }, "malformed"],
      [{ ...good, payload: new Uint8Array(300_000) }, "malformed"],
      [changed(good, { seq: 0 }), "malformed"],
      [changed(good, { stream: `${node.outbox}/1` }), "malformed"],
      [changed(good, { seq: -1 }), "malformed"],
      [node.event(2, "boot.started", { nonsense: true }), "malformed"],
      [node.report("status", { session: 2, seq: 1 }, { online: true }), "malformed"],
      [
        node.report("update", { session: 2, seq: 1 }, { state: "ASSIGNED", updateId: "u" }),
        "malformed",
      ],
      [fakeNode("edge-9", 9).event(1, "kind", {}), "unknown-node"],
      [{ ...good, topic: `firstlight/1/${fleet}/edge-1/desired` }, "topic"],
      [{ ...good, topic: "firstlight/1/acme/+/about" }, "topic"],
    ];
    for (const [message, reason] of cases)
      t.strictSame(await store.ingest(message), { outcome: "refused", reason }, reason);
    await store.nodes.change({ fleet, node: "edge-1" }, { retired: true });
    t.strictSame(await store.ingest(node.event(2, "kind", {})), {
      ...{ outcome: "refused", reason: "retired-node" },
    });
    t.strictSame(await store.nodes.refusals(fleet), [
      { node: "edge-1", reason: "impersonated", count: 1 },
      { node: "edge-1", reason: "malformed", count: 8 },
      { node: "edge-1", reason: "retired-node", count: 1 },
      { node: "edge-2", reason: "foreign-stream", count: 1 },
      { node: "edge-9", reason: "unknown-node", count: 1 },
    ]);
    t.equal((await store.nodes.list(fleet, "*")).length, 1, "none of it made a node");
  });

  t.test("presence follows the newest session, and a last will ends its own alone", async (t) => {
    const store = await open(t);
    const [node, later] = [fakeNode("edge-1", 1), fakeNode("edge-1", 2)];
    const steps: readonly (readonly [Incoming, Ingested["outcome"], boolean])[] = [
      [node.status(1, 1, true), "stored", true],
      [node.status(1, 1, true), "duplicate", true],
      [node.status(2, 1, true), "stored", true],
      [node.status(1, 0, false), "late", true],
      [node.status(2, 0, false), "stored", false],
      [node.status(2, 1, true), "late", false],
      [node.status(3, 1, true), "stored", true],
      [later.status(1, 1, true), "stored", true],
      [node.status(4, 0, false), "late", true],
      [later.status(1, 0, false), "stored", false],
    ];
    for (const [message, outcome, online] of steps) {
      t.equal((await store.ingest(message)).outcome, outcome);
      t.equal((await store.nodes.list(fleet, "*"))[0]?.online, online);
    }
  });

  t.test("a node is found by what it says of itself, and by its labels", async (t) => {
    const store = await open(t);
    const about = {
      ...{ agent: "0.1.0\u0000\ud800", platform: "x86_64-linux", capabilities: [] },
      profile: { id: "acme/box", confidence: "certain" },
    };
    for (const [at, name] of ["edge-1", "edge-2"].entries())
      await store.ingest(fakeNode(name, at).report("about", { session: 1, seq: 1 }, about));
    await store.nodes.change({ fleet, node: "edge-2" }, { labels: { site: "berlin" } });
    const list = async (selector: string) =>
      (await store.nodes.list(fleet, selector)).map(({ node }) => node);
    t.strictSame(await list("@hardware=acme/*"), ["edge-1", "edge-2"]);
    t.strictSame(await list("site=berlin"), ["edge-2"]);
    t.strictSame(await store.nodes.list("other", "*"), []);
    await store.nodes.change({ fleet, node: "edge-2" }, { labels: { site: null }, cordoned: true });
    t.strictSame(await list("site"), []);
    await t.rejects(store.nodes.change({ fleet, node: "edge-2" }, { labels: { "a b": "" } }), {
      code: "selector/invalid",
    });
    await t.rejects(store.nodes.change({ fleet, node: "none" }, {}), {
      code: "registry/unknown",
    });
    const { about: kept } = await store.nodes.reports({ fleet, node: "edge-1" });
    t.strictSame(kept, about, "its own words are kept as they are");
    await store.nodes.setGroup(fleet, "berlin", "site=berlin");
    t.strictSame(await store.nodes.groups(fleet), { berlin: "site=berlin" });
    await t.rejects(store.nodes.setGroup(fleet, "bad", "site="), { code: "selector/invalid" });
    const release = { fleet, name: "web", number: 7, sha256: "a", document: "{}" };
    await store.nodes.addRelease(release);
    await store.nodes.addRelease(release);
    await t.rejects(store.nodes.addRelease({ ...release, sha256: "b" }), {
      code: "registry/conflict",
    });
    t.equal((await store.nodes.releases(fleet)).length, 1);
  });

  t.test(
    "a registry that was lost learns from what nodes say, and counts what is gone",
    async (t) => {
      const store = await open(t);
      const node = fakeNode("edge-1", 1);
      await store.ingest(node.event(41, "kind", {}));
      t.match(await store.ingest(node.event(42, "kind", {})), { ack: { upTo: 0 } });
      const get = node.report(
        "get",
        { session: 1, seq: 2 },
        { stream: node.outbox, acknowledged: 40 },
      );
      t.match(await store.ingest(get), { outcome: "asked", ack: { upTo: 42 } });
      t.match(await store.nodes.gaps(fleet), [{ missing: 0, lost: 40 }]);
      t.match(await store.ingest(get), { ack: { upTo: 42 } });
      t.match(await store.nodes.gaps(fleet), [{ lost: 40 }], "counted once");
    },
  );

  t.test("a release that the node went back from is its release no longer", async (t) => {
    const code = "update/boot-failed";
    const web = { release: "web", number: 7 };
    const change = (seq: number, to: string, parts: object = {}) => ({
      ...{ from: "COMMITTING", to, updateId: "u1", ...web, seq, attempt: 1 },
      ...{ at: "2026-01-31T12:00:00.000Z", bootId: "b", ...parts },
    });
    const topic = (seq: number, state: string, parts: object = {}) => ({
      ...{ state, updateId: "u1", ...web, seq, attempt: 1, ...parts },
    });
    const node = fakeNode("edge-1", 1);
    const event = (at: number, body: object) => node.event(at, "update.changed", body);
    const report = (at: number, body: object) =>
      node.report("update", { session: 1, seq: at }, body);
    const succeeded = event(1, change(4, "SUCCEEDED"));
    const back = event(2, change(5, "ROLLED_BACK", { code }));
    const ways = {
      "the event": { messages: [succeeded, back], release: null },
      "the topic": {
        messages: [succeeded, report(3, topic(5, "ROLLED_BACK", { code }))],
        release: null,
      },
      "the event, before that of the commit": { messages: [back, succeeded], release: null },
      "another update that was not healthy": {
        messages: [succeeded, event(2, change(5, "ROLLED_BACK", { code: "update/not-healthy" }))],
        release: { name: "web", number: 7 },
      },
      "the event, and then the next release": {
        messages: [succeeded, back, event(3, change(9, "SUCCEEDED", { number: 8 }))],
        release: { name: "web", number: 8 },
      },
    };
    for (const [way, { messages, release }] of Object.entries(ways)) {
      const store = await open(t);
      for (const message of [node.status(1, 1, true), ...messages])
        t.match(await store.ingest(message), { outcome: "stored" }, way);
      t.strictSame((await store.nodes.list(fleet, "*"))[0]?.release, release, way);
    }
  });

  t.test("messages that come twice, late and in any order leave the same registry", async (t) => {
    const node = fakeNode("edge-1", 1);
    const update = (seq: number, state: string) =>
      node.report(
        "update",
        { session: 1, seq },
        {
          ...{ state, updateId: "u1", release: "web", number: 7, seq, attempt: 1 },
        },
      );
    const messages = [
      ...[
        node.status(1, 1, true),
        update(2, "RECEIVED"),
        update(3, "TESTING"),
        update(4, "SUCCEEDED"),
      ],
      ...[1, 4].map((seq) => node.event(seq, "kind", { seq })),
      ...[node.event(5, "gap", gap), node.event(6, "boot.started", started)],
      node.event(7, "update.changed", {
        ...{ from: "COMMITTING", to: "SUCCEEDED", updateId: "u1", release: "web", number: 7 },
        ...{ at: "2026-01-31T12:00:00.000Z", bootId: "b", seq: 4, attempt: 1 },
      }),
      ...[node.status(2, 1, true), node.status(1, 0, false), node.event(8, "kind", { seq: 8 })],
    ];
    const stateOf = async (store: Registry) => ({
      nodes: (await store.nodes.list(fleet, "*")).map((each) => ({
        ...each,
        joinedMs: 0,
        seenMs: 0,
      })),
      outcomes: await store.nodes.outcomes({ fleet, node: "edge-1" }),
      gaps: await store.nodes.gaps(fleet),
      reports: await store.nodes.reports({ fleet, node: "edge-1" }),
    });
    const inOrder = await open(t);
    for (const message of messages) await inOrder.ingest(message);
    const expected = await stateOf(inOrder);
    t.match(expected, {
      nodes: [{ online: true, release: { name: "web", number: 7 } }],
      outcomes: [{ outcome: "SUCCEEDED", update_id: "u1" }],
      gaps: [],
    });
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const chance = randomFrom(seed);
        const sent = [...messages, ...messages.filter(() => chance() < 0.5)];
        sent.sort(() => chance() - 0.5);
        const store = await openRegistry(await newAddress(), { admit: "any" });
        const results = await Promise.all(sent.map((message) => store.ingest(message)));
        t.strictSame(
          results.filter(({ outcome }) => outcome === "refused"),
          [],
        );
        t.strictSame(await stateOf(store), expected);
        await store.close();
      }),
      { numRuns: 4 },
    );
  });

  t.test("a rollout is kept with what every node is to be told", async (t) => {
    const store = await open(t);
    const { rollouts } = store;
    const names = ["edge-1", "edge-2", "edge-3"];
    const nodes = new Map(names.map((name, at) => [name, fakeNode(name, at)]));
    for (const node of nodes.values()) await store.ingest(node.status(1, 1, true));
    const given: RolloutDefinition = {
      ...{ version: 1, name: "web-7", release: { name: "web", number: 7 }, select: "*" },
      waves: [
        { name: "first", size: 1 },
        { name: "wide", approval: true },
      ],
      ...{ windows: [{ from: "00:00", to: "00:00", timezone: "UTC" }], deadline: "1d" },
    };
    await rollouts.start(fleet, given, "ada");
    await t.rejects(rollouts.start(fleet, given, "ada"), { code: "registry/conflict" });
    await rollouts.step(fleet, "web-7");
    const [first, ...none] = await rollouts.untold(fleet, 10);
    t.strictSame(none, []);
    t.match(first, {
      revision: 1,
      rollout: "web-7",
      update: { release: { name: "web", number: 7 } },
    });
    if (first === undefined) return;
    const { startedMs } = await rollouts.get(fleet, "web-7");
    t.match(first.update, {
      window: { cron: "0 0 * * *", durationMinutes: 1440, timezone: "UTC" },
      deadlineMs: startedMs + 86_400_000,
    });
    await rollouts.told(fleet, first);
    t.strictSame(await rollouts.untold(fleet, 10), []);
    const say = (name: string, seq: number, state: string, updateId: string) =>
      store.ingest(
        (nodes.get(name) ?? fakeNode(name, 0)).report(
          "update",
          { session: 1, seq },
          {
            ...{ state, updateId, release: "web", number: 7, seq, attempt: 1 },
          },
        ),
      );
    await say(first.node, 2, "SUCCEEDED", first.update?.updateId ?? "");
    t.match((await rollouts.step(fleet, "web-7")).rollout.phase, { state: "AWAITING_APPROVAL" });
    const by = { by: "ada", reason: "" };
    await rollouts.command(fleet, "web-7", { command: "approve", ...by });
    await rollouts.step(fleet, "web-7");
    t.equal((await rollouts.untold(fleet, 10)).length, 2);
    await rollouts.command(fleet, "web-7", { command: "abort", by: "ada", reason: "stop" });
    await rollouts.step(fleet, "web-7");
    t.match(await rollouts.untold(fleet, 10), [
      { revision: 2, update: null },
      { revision: 2, update: null },
    ]);
    t.strictSame(await rollouts.live(fleet), []);
    t.match(
      (await rollouts.history(fleet, "web-7")).map(({ event }) => event.event),
      [
        ...["command", "wave.started", "wave.passed", "phase", "command"],
        ...["wave.started", "command"],
      ],
    );
    await t.rejects(rollouts.command(fleet, "web-7", { command: "resume", ...by }), {
      code: "rollout/refused",
    });
    await t.rejects(rollouts.get(fleet, "none"), { code: "registry/unknown" });
  });

  t.test(
    "one server at a time works on a rollout; who was taken over writes nothing",
    async (t) => {
      const address = await newAddress("shared");
      const [one, two] = [await open(t, "any", address), await open(t, "any", address)];
      const definition = {
        ...{ version: 1 as const, name: "web-7", release: { name: "web", number: 7 }, select: "*" },
        waves: [{ name: "wide" }],
      };
      await one.rollouts.start(fleet, definition, "ada");
      const first = await one.lease("reconciler", "one", 60_000);
      t.match(first, { token: 1 });
      t.equal(await two.lease("reconciler", "two", 60_000), undefined);
      t.match(await one.lease("reconciler", "one", 0), { token: 1 }, "to its end");
      const second = await two.lease("reconciler", "two", 60_000);
      t.match(second, { token: 2 });
      if (first === undefined || second === undefined) return;
      await t.rejects(one.rollouts.step(fleet, "web-7", first), { code: "registry/lease-lost" });
      await two.rollouts.step(fleet, "web-7", second);
      await two.giveBack(second);
      t.match(await one.lease("reconciler", "one", 60_000), { token: 3 }, "given back");
    },
  );

  t.test("a backup holds every row, and one that is damaged is refused", async (t) => {
    const store = await open(t);
    const node = fakeNode("edge-1", 1);
    await store.ingest(node.status(1, 1, true));
    t.match(await store.ingest(node.event(1, "boot.started", started)), { outcome: "stored" });
    await store.nodes.setGroup(fleet, "all", "*");
    const definition = {
      ...{ version: 1 as const, name: "web-7", release: { name: "web", number: 7 }, select: "*" },
      waves: [{ name: "wide" }],
    };
    await store.rollouts.start(fleet, definition, "ada");
    await store.rollouts.step(fleet, "web-7");
    const lines = await backupOf(store);
    const other = await open(t);
    t.equal(await other.restore(lines), lines.length - 2);
    t.strictSame(await backupOf(other), lines);
    await t.rejects(other.restore(lines), { code: "registry/conflict" });
    const database = await openDatabase(await newAddress());
    t.teardown(() => database.close());
    const damaged = [
      lines.slice(0, -1),
      lines.toSpliced(2, 1),
      lines.map((line) => line.replace("edge-1", "edge-2")),
      [lines[0]?.replace('"v":1', '"v":2') ?? "", ...lines.slice(1)],
      ["{}"],
      [],
    ];
    for (const each of damaged)
      await t.rejects(restore(database, each), { code: "registry/backup-invalid" });
    const copy = await openRegistry(await newAddress());
    t.strictSame(await copy.nodes.list(fleet, "*"), [], "nothing of them was taken");
    await copy.close();
  });

  t.test("a registry of a newer firstlight is left alone", async (t) => {
    const address = await newAddress("shared");
    const database = await openDatabase(address);
    await database.db
      .insertInto("kysely_migration" as "lease")
      .values({ name: "9999-later", timestamp: "2030" } as never)
      .execute();
    await database.close();
    await t.rejects(openDatabase(address), { code: "registry/newer", message: /9999-later/ });
  });
}

/** A backup, whole. */
export async function backupOf(store: Pick<Registry, "backup">): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of store.backup()) lines.push(line);
  return lines;
}
