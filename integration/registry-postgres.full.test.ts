import t from "tap";
import { backupOf, checkRegistry } from "#fleet/registry/check-registry.ts";
import { fakeNode, fleet } from "#fleet/registry/fake-node.ts";
import { openRegistry } from "#fleet/registry/open-registry.ts";
import { postgresPrograms, startPostgres } from "./postgres.ts";

t.setTimeout(300_000);

if (postgresPrograms() === undefined)
  t.test("PostgreSQL", { skip: "it is not installed" }, async () => {});
else {
  const postgres = await startPostgres(t);

  checkRegistry(t, () => postgres.newAddress());

  t.test("servers that take in the same node's messages at once store each once", async (t) => {
    const address = await postgres.newAddress();
    const servers = await Promise.all([1, 2, 3].map(() => openRegistry(address, { admit: "any" })));
    t.teardown(() => Promise.all(servers.map((server) => server.close())).then(() => {}));
    const nodes = [1, 2, 3, 4].map((at) => fakeNode(`edge-${at}`, at));
    const messages = nodes.flatMap((node) => [
      ...[3, 1, 2].map((session) => node.status(session, 1, true)),
      ...Array.from({ length: 20 }, (_, at) => node.event(at + 1, "kind", { at })),
    ]);
    const all = messages.flatMap((message) => servers.map((server) => server.ingest(message)));
    const results = await Promise.all(all);
    t.equal(results.filter(({ outcome }) => outcome === "refused").length, 0);
    const [server] = servers;
    if (server === undefined) return;
    const lines = await backupOf(server);
    t.equal(lines.filter((line) => line.includes('"table":"event"')).length, 80);
    t.strictSame(await server.nodes.gaps(fleet), []);
    const reports = await Promise.all(
      nodes.map((_, at) => server.nodes.reports({ fleet, node: `edge-${at + 1}` })),
    );
    t.ok(reports.every(({ status }) => (status as { session: number }).session === 3));
  });

  t.test(
    "a database that goes away and comes back loses nothing that was said to be stored",
    async (t) => {
      const address = await postgres.newAddress();
      const server = await openRegistry(address, { admit: "any" });
      t.teardown(() => server.close());
      const node = fakeNode("edge-1", 1);
      t.match(await server.ingest(node.event(1, "kind", {})), { outcome: "stored" });
      await postgres.kill();
      await t.rejects(server.ingest(node.event(2, "kind", {})), { code: "registry/failed" });
      await postgres.start();
      t.match(await server.ingest(node.event(2, "kind", {})), { ack: { upTo: 2 } });
    },
  );

  t.test("a backup of one engine is restored in the other", async (t) => {
    const [one, two, three] = await Promise.all([
      openRegistry(await postgres.newAddress(), { admit: "any" }),
      openRegistry(":memory:"),
      openRegistry(await postgres.newAddress()),
    ]);
    t.teardown(() => Promise.all([one, two, three].map((each) => each.close())).then(() => {}));
    const node = fakeNode("edge-ä", 1);
    for (const seq of [1, 2, 3])
      await one.ingest(node.event(seq, "kind", { text: "\u0000ü\u{1f511}" }));
    await one.ingest(node.status(1, 1, true));
    const lines = await backupOf(one);
    await two.restore(lines);
    t.strictSame(await backupOf(two), lines);
    await three.restore(await backupOf(two));
    t.strictSame(await backupOf(three), lines);
  });
}
