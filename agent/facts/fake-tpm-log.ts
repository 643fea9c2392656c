import { createHash } from "node:crypto";

/** For tests: one event, as a log of either format holds it. */
export interface FakeTpmEvent {
  readonly register: number;
  readonly type?: number;
  readonly data: string;
  /** Whether the TPM was told, as it should be (default), or the event is only in the log. */
  readonly measured?: boolean;
}

const separator = 0x0000_0004;
const noAction = 0x0000_0003;

/** A log of TPM 2.0 with two hashes, the smaller first. */
export function newTpmLog(events: readonly FakeTpmEvent[]): Buffer {
  const header = Buffer.concat([
    Buffer.from("Spec ID Event03\0"),
    u32(0), // platform class
    Buffer.from([0, 2, 105, 2]), // version 2.0, errata, 64 bits
    u32(2),
    u16(0x0004),
    u16(20),
    u16(0x000b),
    u16(32),
    Buffer.from([0]),
  ]);
  return Buffer.concat([
    oldEvent({ register: 0, type: noAction, data: header }, Buffer.alloc(20)),
    ...events.map(({ register, type = separator, data }) =>
      Buffer.concat([
        u32(register),
        u32(type),
        u32(2),
        u16(0x0004),
        digestOf("sha1", data),
        u16(0x000b),
        digestOf("sha256", data),
        u32(Buffer.byteLength(data, "latin1")),
        Buffer.from(data, "latin1"),
      ]),
    ),
  ]);
}

/** A log of TPM 1.2. */
export function oldTpmLog(events: readonly FakeTpmEvent[]): Buffer {
  return Buffer.concat(
    events.map(({ register, type = separator, data }) =>
      oldEvent({ register, type, data: Buffer.from(data, "latin1") }, digestOf("sha1", data)),
    ),
  );
}

/** What registers 0 to 7 hold after these events, in hexadecimal; `start` is that of register 0. */
export function registersAfter(
  hash: "sha1" | "sha256",
  events: readonly FakeTpmEvent[],
  start = 0,
): readonly string[] {
  return Array.from({ length: 8 }, (_, register) => {
    let value = Buffer.alloc(hash === "sha1" ? 20 : 32);
    if (register === 0) value[value.length - 1] = start;
    for (const event of events) {
      if (event.register !== register || event.type === noAction || event.measured === false)
        continue;
      const digest = digestOf(hash, event.data);
      value = createHash(hash)
        .update(Buffer.concat([value, digest]))
        .digest();
    }
    return value.toString("hex").toUpperCase();
  });
}

function oldEvent(
  { register, type, data }: { register: number; type: number; data: Buffer },
  digest: Buffer,
): Buffer {
  return Buffer.concat([u32(register), u32(type), digest, u32(data.length), data]);
}

function digestOf(hash: string, data: string): Buffer {
  return createHash(hash).update(Buffer.from(data, "latin1")).digest();
}

function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

function u16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16LE(value);
  return buffer;
}
