import t from "tap";
import { fc } from "./fast-check.ts";
import { cutToWidth, textWidth } from "./text-width.ts";

t.test("a text takes the columns that a terminal gives it", async (t) => {
  for (const [text, width] of [
    ["", 0],
    ["plain", 5],
    ["größer", 6],
    ["e\u0301", 1],
    ["漢字", 4],
    ["👩‍🚀", 2],
    ["\u200b", 0],
  ] as const)
    t.equal(textWidth(text), width, JSON.stringify(text));
});

t.test("a text that is too wide is cut, and says so", async (t) => {
  t.equal(cutToWidth("linux-6.12", 10), "linux-6.12");
  t.equal(cutToWidth("linux-6.12", 6), "linux…");
  t.equal(cutToWidth("漢字漢字", 4), "漢…");
  t.equal(cutToWidth("linux-6.12", 6, "..."), "lin...");
  t.equal(cutToWidth("abc", 0), "");
});

t.test("whatever the text, it is never wider than it may be", async () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat(20), (text, columns) => {
      return textWidth(cutToWidth(text, columns)) <= columns;
    }),
  );
});
