import t from "tap";
import { acknowledgedUpTo, type StreamState } from "./acknowledge.ts";

const stored = (seqs: readonly number[]) => ({
  after: async (seq: number, limit: number) => seqs.filter((each) => each > seq).slice(0, limit),
  count: async (first: number, last: number) =>
    seqs.filter((each) => each >= first && each <= last).length,
});

const gap = (dropped: number, first: number, last: number) => ({ dropped, first, last });

const cases: readonly (readonly [
  what: string,
  seqs: readonly number[],
  gap: StreamState["gap"],
  upTo: number,
])[] = [
  ["nothing", [], null, 0],
  ["all of them", [1, 2, 3], null, 3],
  ["one that is missing", [1, 2, 4, 5], null, 2],
  ["the first one that is missing", [2, 3], null, 0],
  ["some that were thinned out", [1, 2, 6, 7], gap(3, 3, 5), 7],
  ["some that came before they were thinned out", [1, 2, 4, 6, 7], gap(3, 3, 5), 7],
  ["fewer thinned out than are missing", [1, 2, 6, 7], gap(2, 3, 5), 2],
  ["one beyond the gap", [1, 2, 6, 8], gap(3, 3, 5), 6],
  ["a gap at the beginning", [5, 6], gap(4, 1, 4), 6],
];

t.test("events are acknowledged up to where none is missing", async (t) => {
  for (const [what, seqs, gapOf, upTo] of cases) {
    const state = { upTo: 0, highest: Math.max(0, ...seqs), gap: gapOf };
    t.equal(await acknowledgedUpTo(state, stored(seqs)), upTo, what);
  }
  const many = Array.from({ length: 2_500 }, (_, at) => at + 1);
  t.equal(await acknowledgedUpTo({ upTo: 3, highest: 2_500, gap: null }, stored(many)), 2_500);
});
