import t from "tap";
import { type Heir, lineageOf, whyNoLineage } from "./lineage.ts";

const heirs = (table: Readonly<Record<string, readonly string[]>>): ReadonlyMap<string, Heir> =>
  new Map(Object.entries(table).map(([id, parents]) => [id, { id, extends: parents }]));

t.test("a profile comes before those it extends, which keep their order", async (t) => {
  const table = heirs({ a: [], b: ["a"], c: ["a"], d: ["b", "c"] });
  t.same(lineageOf("d", table), ["d", "b", "c", "a"]);
  t.same(lineageOf("a", table), ["a"]);
});

t.test("without an order there is none, and a reason", async (t) => {
  const cases = [
    ["a", { a: ["b"], b: ["a"] }, { why: "circle", ids: ["a", "b", "a"] }],
    ["a", { a: ["a"] }, { why: "circle", ids: ["a", "a"] }],
    ["x", { x: ["a"], a: ["b"], b: ["a"] }, { why: "circle", ids: ["a", "b", "a"] }],
    ["a", { a: ["b"] }, { why: "unknown", id: "b", heir: "a" }],
    ["a", { a: ["b"], b: ["c"] }, { why: "unknown", id: "c", heir: "b" }],
    [
      "d",
      { x: [], y: [], a: ["x", "y"], b: ["y", "x"], c: ["a", "b"], d: ["c"] },
      { why: "order", id: "c" },
    ],
  ] as const;
  for (const [id, table, why] of cases) {
    t.equal(lineageOf(id, heirs(table)), undefined, why.why);
    t.same(whyNoLineage(id, heirs(table)), why);
  }
  t.equal(whyNoLineage("b", heirs({ a: [], b: ["a"] })), undefined);
});
