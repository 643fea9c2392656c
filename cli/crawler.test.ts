import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { readTools } from "./crawler.ts";

t.test("a machine asks for 30 s altogether, or for as long as its settings say", (t) => {
  const io = fakeIo(t.testdir({}));
  t.equal(readTools(io, {}).budgetMs, 30_000);
  t.equal(readTools(io, { metadata: { timeout: "90s" } }).budgetMs, 90_000);
  t.end();
});
