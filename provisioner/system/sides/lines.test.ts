import { isDeepStrictEqual } from "node:util";
import t from "tap";
import { fc } from "#core/fast-check.ts";
import { LineSplitter, parseLine } from "./lines.ts";
import { pace } from "./pace.ts";

const bytes = (text: string) => Buffer.from(text, "utf8");

t.test("lines come whole, however the bytes are cut", async () => {
  const line = fc.string({ unit: "binary" }).filter((text) => !text.includes("\n"));
  fc.assert(
    fc.property(fc.array(line), line, fc.array(fc.nat(64)), (lines, rest, cuts) => {
      const all = bytes(lines.map((text) => `${text}\n`).join("") + rest);
      const splitter = new LineSplitter(1_000_000);
      const found: string[] = [];
      let from = 0;
      for (const cut of [...cuts, all.length]) {
        const part = splitter.push(all.subarray(from, from + cut));
        found.push(...part.map((each) => Buffer.from(each).toString("utf8")));
        from += cut;
      }
      const expected = lines.map((text) => text.toWellFormed());
      return isDeepStrictEqual(found, expected) && splitter.held === bytes(rest).length;
    }),
  );
});

t.test("a line without an end is refused as soon as it is too long", async (t) => {
  const splitter = new LineSplitter(8);
  t.same(splitter.push(bytes("12345678\n12345678")).map(String), ["12345678"]);
  t.throws(() => splitter.push(bytes("9")), { code: "side/too-large", message: /8 bytes/ });
  t.throws(() => new LineSplitter(8).push(bytes("123456789\n")), { code: "side/too-large" });
});

t.test("what is no JSON in UTF-8 is refused", async (t) => {
  t.same(parseLine(bytes('{"a":"ä"}')), { a: "ä" });
  for (const line of [bytes(""), bytes("{"), Buffer.from([0x22, 0xff, 0x22]), bytes("\0")]) {
    t.throws(() => parseLine(line), { code: "side/refused" });
  }
  t.doesNotThrow(() => parseLine(bytes("[".repeat(100_000) + "]".repeat(100_000))));
});

t.test("a pace allows a burst, then as many as time brings", async (t) => {
  let now = 0;
  const allowed = pace({ burst: 2, everyMs: 100 }, { monotonicMs: () => now });
  const round = () => [allowed(), allowed(), allowed()];
  t.same(round(), [true, true, false]);
  now = 99;
  t.same(round(), [false, false, false]);
  now = 100;
  t.same(round(), [true, false, false]);
  now = 1_000_000;
  t.same(round(), [true, true, false], "no more than the burst is saved up");
});
