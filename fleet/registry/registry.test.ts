import { join } from "node:path";
import t from "tap";
import { checkRegistry } from "./check-registry.ts";
import { openRegistry } from "./open-registry.ts";

const directory = t.testdir();
let count = 0;
const newAddress = async () => join(directory, `registry-${count++}.db`);

checkRegistry(t, newAddress);

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
