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
  await t.rejects(openRegistry("postgresql://nobody:geheim@127.0.0.1:1/none"), (error: Error) => {
    t.match(error, { code: "registry/failed", message: /ECONNREFUSED/ });
    t.notMatch(error.message, /geheim/);
    return true;
  });
});
