import t from "tap";
import { type Heir, lineageOf } from "./lineage.ts";

const heirs = (table: Readonly<Record<string, readonly string[]>>): ReadonlyMap<string, Heir> =>
  new Map(Object.entries(table).map(([id, parents]) => [id, { id, extends: parents }]));

t.test("a profile comes before those it extends, which keep their order", async (t) => {
  const table = heirs({ a: [], b: ["a"], c: ["a"], d: ["b", "c"] });
  t.same(lineageOf("d", table), ["d", "b", "c", "a"]);
  t.same(lineageOf("a", table), ["a"]);
});

t.test("without an order there is none", async (t) => {
  t.equal(lineageOf("a", heirs({ a: ["b"], b: ["a"] })), undefined, "a circle");
  t.equal(lineageOf("a", heirs({ a: ["b"] })), undefined, "an unknown profile");
  t.equal(lineageOf("a", heirs({ a: ["a"] })), undefined, "itself");
  const disagreeing = heirs({ x: [], y: [], a: ["x", "y"], b: ["y", "x"], c: ["a", "b"] });
  t.equal(lineageOf("c", disagreeing), undefined, "two that disagree");
});
