import t from "tap";
import { fc } from "#core/fast-check.ts";
import { frameGuard } from "./frame-guard.ts";

/** A packet with so many bytes after its head. */
function packet(length: number): Buffer {
  const head = [0x30];
  let rest = length;
  do {
    head.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([Buffer.from(head), Buffer.alloc(length, 0xff)]);
}

t.test(
  "a packet over the limit is named as soon as its head is there, however the bytes are cut",
  async () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(400), { maxLength: 8 }),
        fc.integer({ min: 1, max: 50 }),
        fc.constantFrom(0, 100, 127, 128, 300, 400),
        (lengths, chunk, limit) => {
          const bytes = Buffer.concat(lengths.map(packet));
          const guard = frameGuard(limit);
          let announced: number | undefined;
          for (let at = 0; at < bytes.length && announced === undefined; at += chunk) {
            announced = guard.add(bytes.subarray(at, at + chunk));
          }
          return announced === undefined
            ? lengths.every((length) => length <= limit)
            : announced > limit;
        },
      ),
    );
  },
);

t.test("a length that never ends is over every limit", async (t) => {
  t.type(
    frameGuard(Number.MAX_SAFE_INTEGER).add(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0xff])),
    "number",
  );
});
