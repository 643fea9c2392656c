import { join } from "node:path";
import t from "tap";
import { checkRegistry } from "./check-registry.ts";
import { fakeNode, fleet } from "./fake-node.ts";
import { openRegistry } from "./open-registry.ts";

const directory = t.testdir();
let count = 0;

checkRegistry(t, async (shared) =>
  shared === undefined ? ":memory:" : join(directory, `registry-${count++}.db`),
);

t.test("what was stored is there when a registry is opened again", async (t) => {
  const file = join(directory, "kept.db");
  const store = await openRegistry(file, { admit: "any" });
  await store.ingest(fakeNode("edge-1", 1).status(1, 1, true));
  await store.close();
  const again = await openRegistry(file);
  t.match(await again.nodes.list(fleet, "*"), [{ node: "edge-1", online: true }]);
  await again.close();
});

t.test("a registry that cannot be opened says why", async (t) => {
  await t.rejects(openRegistry(join(directory, "none", "registry.db")), {
    code: "registry/failed",
    message: /unable to open database file/,
  });
  const away = openRegistry("postgresql://nobody:geheim@127.0.0.1:1/none");
  const said = await away.then(String, (error: Error) => error.message);
  t.match(said, /ECONNREFUSED/);
  t.notMatch(said, /geheim/);
});
