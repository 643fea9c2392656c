import { createHash } from "node:crypto";

/** Digests by register. */
export type Registers = ReadonlyMap<number, Buffer>;

/** An event log as the firmware wrote it, cut down to what is needed to replay it. */
export interface TpmLog {
  /** Hashes that every event has a digest of, strongest first. */
  readonly banks: readonly Bank[];
  /** What registers 0 to 7 hold when all of it is replayed with one hash. */
  replay(bank: Bank): Registers;
}

/** A hash, by Node's name, which is also the kernel's. */
export type Bank = "sha512" | "sha384" | "sha256" | "sha1";

interface LogEvent {
  readonly register: number;
  readonly type: number;
  readonly digests: ReadonlyMap<number, Buffer>;
  readonly data: Buffer;
}

/** Hashes by their number (TCG Algorithm Registry, table 3). */
const algorithms: ReadonlyMap<number, Bank> = new Map([
  [0x000d, "sha512"],
  [0x000c, "sha384"],
  [0x000b, "sha256"],
  [0x0004, "sha1"],
]);

const sizes: Readonly<Record<Bank, number>> = { sha512: 64, sha384: 48, sha256: 32, sha1: 20 };
const sha1 = 0x0004;
const noAction = 0x0000_0003;
const hashedByCpu = 0x8000_0007; // EV_EFI_HCRTM_EVENT
const specId = "Spec ID Event03\0";
const locality = "StartupLocality\0";
const maxEvents = 65_536;
const maxAlgorithms = 16;
const lastRegister = 7;

/**
 * Reads an event log of either format: that of TPM 1.2 with SHA-1 alone, and the one of TPM 2.0
 * whose first event says which hashes follow. `null` when it is damaged or cut off. Source: TCG PC
 * Client Platform Firmware Profile 1.06, section 10.
 */
export function parseTpmLog(bytes: Uint8Array): TpmLog | null {
  const log = cursorOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const first = readOldEvent(log);
  if (first === null) return null;
  const described = first.type === noAction && startsWith(first.data, specId);
  const lengths = described ? readSpecId(first.data) : new Map([[sha1, sizes.sha1]]);
  if (lengths === null) return null;
  const events: LogEvent[] = described ? [] : [first];
  while (!log.atEnd()) {
    const event = described ? readNewEvent(log, lengths) : readOldEvent(log);
    if (event === null || events.length >= maxEvents) return null;
    events.push(event);
  }
  const banks = [...algorithms].flatMap(([number, bank]) => (lengths.has(number) ? [bank] : []));
  return { banks, replay: (bank) => replay(events, bank) };
}

function replay(events: readonly LogEvent[], bank: Bank): Registers {
  const [number = 0] = [...algorithms].find(([, name]) => name === bank) ?? [];
  const registers = new Map<number, Buffer>();
  for (let at = 0; at <= lastRegister; at++) registers.set(at, Buffer.alloc(sizes[bank]));
  if (events.some(({ register, type }) => register === 0 && type === hashedByCpu))
    registers.set(0, startValue(bank, 4));
  for (const { register, type, digests, data } of events) {
    if (type === noAction) {
      // The one event that is not measured and still counts: where the measuring was begun.
      if (register === 0 && startsWith(data, locality))
        registers.set(0, startValue(bank, data[locality.length] ?? 0));
      continue;
    }
    const before = registers.get(register);
    const digest = digests.get(number);
    if (before === undefined || digest === undefined) continue;
    registers.set(register, createHash(bank).update(before).update(digest).digest());
  }
  return registers;
}

function startValue(bank: Bank, last: number): Buffer {
  const value = Buffer.alloc(sizes[bank]);
  value[value.length - 1] = last;
  return value;
}

/** Register, type, a digest of SHA-1, and what was measured. */
function readOldEvent(log: Cursor): LogEvent | null {
  const register = log.number(4);
  const type = log.number(4);
  const digest = log.bytes(sizes.sha1);
  const data = log.sized();
  if (register === null || type === null || digest === null || data === null) return null;
  return { register, type, digests: new Map([[sha1, digest]]), data };
}

/** Register, type, digests of as many hashes as it says, and what was measured. */
function readNewEvent(log: Cursor, lengths: ReadonlyMap<number, number>): LogEvent | null {
  const register = log.number(4);
  const type = log.number(4);
  const count = log.number(4);
  if (register === null || type === null || count === null || count > maxAlgorithms) return null;
  const digests = new Map<number, Buffer>();
  for (let at = 0; at < count; at++) {
    const algorithm = log.number(2) ?? -1;
    const digest = log.bytes(lengths.get(algorithm) ?? -1);
    if (digest === null) return null;
    digests.set(algorithm, digest);
  }
  const data = log.sized();
  return data === null ? null : { register, type, digests, data };
}

/** The lengths of digests by hash, from the event that says what the log holds. */
function readSpecId(data: Buffer): ReadonlyMap<number, number> | null {
  const event = cursorOf(data);
  event.bytes(specId.length + 8); // platform class, version of the specification, width of numbers
  const count = event.number(4);
  if (count === null || count === 0 || count > maxAlgorithms) return null;
  const lengths = new Map<number, number>();
  for (let at = 0; at < count; at++) {
    const algorithm = event.number(2);
    const length = event.number(2);
    if (algorithm === null || length === null) return null;
    const known = algorithms.get(algorithm);
    if (known !== undefined && sizes[known] !== length) return null;
    lengths.set(algorithm, length);
  }
  return lengths;
}

interface Cursor {
  atEnd(): boolean;
  /** An unsigned number, its smallest byte first. */
  number(length: 2 | 4): number | null;
  bytes(length: number): Buffer | null;
  /** Bytes behind their count. */
  sized(): Buffer | null;
}

function cursorOf(buffer: Buffer): Cursor {
  let at = 0;
  const self: Cursor = {
    atEnd: () => at >= buffer.length,
    number(length) {
      const part = self.bytes(length);
      return part === null ? null : part.readUIntLE(0, length);
    },
    bytes(length) {
      if (length < 0 || length > buffer.length - at) return null;
      at += length;
      return buffer.subarray(at - length, at);
    },
    sized() {
      const length = self.number(4);
      return length === null ? null : self.bytes(length);
    },
  };
  return self;
}

function startsWith(data: Buffer, text: string): boolean {
  return data.subarray(0, text.length).toString("latin1") === text;
}
