import t from "tap";
import { fc } from "#core/fast-check.ts";
import { isFault } from "#core/fault.ts";
import { Secret } from "#core/secret.ts";
import { maxMessageBytes, readFleetMessage, writeMessage } from "./message.ts";

const stream = "6f1d7c1e-2f5a-4a57-8a53-0d1b6e9d2c44";
const good = {
  v: 1,
  id: "0b5c0f0e-6c0b-4c3a-9d0e-3f3f6a1f2b11",
  at: "2026-01-31T12:00:00.000Z",
  body: { stream, upTo: 7 },
};
const nowMs = Date.UTC(2026, 0, 31, 12);
const bytes = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value));

t.test("an ack that fits is read", async (t) => {
  t.same((await readFleetMessage("ack", bytes(good), { nowMs })).body, { stream, upTo: 7 });
});

t.test("what this version does not know is kept, and changes nothing", async (t) => {
  const later = { ...good, priority: 3, body: { ...good.body, of: "events" } };
  const text = `${JSON.stringify(later).slice(0, -1)},"__proto__":{"x":1}}`;
  const { envelope, body } = await readFleetMessage("ack", bytes(text), { nowMs });
  t.match(envelope, { id: good.id, priority: 3 });
  t.same(body, later.body);
  t.equal(({} as { x?: number }).x, undefined);
});

t.test("what does not fit is refused with its reason", async (t) => {
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["empty", bytes(""), /not JSON/],
    ["text", bytes("ack"), /not JSON/],
    ["no UTF-8", Buffer.from([0x22, 0xff, 0x22]), /not JSON/],
    ["null", bytes("null"), /object/],
    ["another version", bytes({ ...good, v: 2 }), /\/v /],
    ["no body", bytes({ ...good, body: undefined }), /body/],
    ["a negative number", bytes({ ...good, body: { stream, upTo: -1 } }), /upTo/],
    ["a fraction", bytes({ ...good, body: { stream, upTo: 1.5 } }), /upTo/],
    [
      "a number beyond integers",
      bytes(JSON.stringify(good).replace('"upTo":7', '"upTo":1e300')),
      /upTo/,
    ],
    ["expired", bytes({ ...good, expiresAt: "2026-01-31T11:59:59.999Z" }), /expired/],
    ["too large", Buffer.alloc(maxMessageBytes + 1, 0x20), /at most/],
    ["very deep", bytes("[".repeat(100_000) + "]".repeat(100_000)), /object/],
  ];
  for (const [name, payload, reason] of cases) {
    await t.rejects(
      readFleetMessage("ack", payload, { nowMs }),
      { code: "link/message-refused", message: reason },
      name,
    );
  }
});

t.test("any bytes are read or refused", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (payload) => {
      try {
        await readFleetMessage("ack", payload, { nowMs });
        return false;
      } catch (error) {
        return isFault(error, "link/message-refused");
      }
    }),
  );
});

t.test("a secret never leaves in a message", async (t) => {
  const parts = {
    id: good.id,
    at: good.at,
    bootId: "b",
    stream,
    seq: 1,
    body: { fault: [new Secret("hunter2")] },
  };
  t.throws(() => writeMessage(parts), { code: "secret/serialised" });
});

t.test("equal messages are equal bytes", async (t) => {
  const parts = { id: good.id, at: good.at, bootId: "b", stream, seq: 1, body: { b: 1, a: 2 } };
  t.equal(writeMessage(parts), writeMessage({ ...parts, body: { a: 2, b: 1 } }));
  t.match(JSON.parse(writeMessage(parts)), { v: 1, seq: 1, body: { a: 2, b: 1 } });
});
