import { readdirSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fc } from "#core/fast-check.ts";
import { systemClient } from "../client.ts";
import { fakeMachine, fakeSources } from "../fake-machine.ts";
import type { ChangeReason, Verdict } from "../system.ts";
import { askCourierDoor, systemOverSocket } from "./connect.ts";
import { manualClock, openFakeDoors, type RawClient, rawClient } from "./fake-doors.ts";

t.setTimeout(180_000);
const runs = 150;
const reason: ChangeReason = { by: "update", why: "x", instanceId: null };
const verdict: Verdict = { healthy: true, reasons: [], passes: 3, ms: 1 };
const closure = {
  transaction: "20260101T000000-00020002",
  toplevel: "/nix/store/00000000000000000000000000000000-nixos-system-image",
  derivation: null,
  sourcesDigest: null,
  credentials: [],
  reason,
};
const trial = { transaction: closure.transaction, toplevel: closure.toplevel };
const sources = fakeSources("evil");

/** What a taken-over network side would like to ask, and what it may. */
const wishes = [
  { kind: "recover" },
  { kind: "build", sources, reason },
  { kind: "plan", closure },
  { kind: "plan-generation", generation: null, reason },
  { kind: "try", plan: { digest: "0".repeat(64), closure, from: {} }, watchMs: 1 },
  { kind: "commit", trial, verdict },
  { kind: "roll-back", trial, verdict },
  { kind: "fetch", signed: "{}", sources: null, reason },
  { kind: "drift", deep: true, share: 1 },
  { kind: "repair", deep: true, share: 1 },
  { kind: "runs", sourcesDigest: "0".repeat(64) },
  { kind: "history" },
  { kind: "status" },
  { kind: "submit", topic: "desired", bytes: "e30=" },
];

const line = (value: unknown) => Buffer.from(`${JSON.stringify(value)}\n`);
const wish = fc.constantFrom(...wishes).map((request) => line({ v: 1, request }));
const anything = fc.anything({ withNullPrototype: true, withObjectString: true });
const bent = fc
  .tuple(fc.constantFrom(...wishes), fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue())
  .map(([request, more, v]) => line({ v, request: { ...request, ...more }, ...more }));
const noise = fc.uint8Array({ maxLength: 4_096 }).map((bytes) => Buffer.from(bytes));
const json = anything.map((value) => {
  try {
    return line({ v: 1, request: value });
  } catch {
    return Buffer.from("{\n"); // a cycle or a big integer
  }
});
const half = fc.tuple(wish, fc.nat(64)).map(([bytes, at]) => bytes.subarray(0, at));
const huge = fc.nat(600_000).map((size) => Buffer.alloc(size, "["));
const chunk = fc.oneof(wish, bent, noise, json, half, huge);
const attack = fc.record({
  connections: fc.array(
    fc.record({
      chunks: fc.array(chunk, { maxLength: 4 }),
      leaves: fc.constantFrom("stays", "ends", "is cut"),
    }),
    { minLength: 1, maxLength: 12 },
  ),
  secondsLater: fc.nat(30),
});

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

t.test("whatever the network side sends, the root side does nothing and lives on", async (t) => {
  const machine = fakeMachine(t.testdir());
  const clock = manualClock();
  const doors = await openFakeDoors(t, machine, { clock });
  const operator = systemClient(systemOverSocket({ path: doors.operator, clock }));
  const before = filesBelow(machine.root);
  let clients: RawClient[] = [];
  t.teardown(() => {
    for (const client of clients) client.socket.destroy();
  });

  const survives = async ({ connections, secondsLater }: Attack): Promise<boolean> => {
    clients = [];
    for (const { chunks, leaves } of connections) {
      const client = await rawClient({ teardown: () => {} }, doors.courier);
      clients.push(client);
      for (const bytes of chunks) client.send(bytes);
      if (leaves === "ends") client.socket.end();
      if (leaves === "is cut") client.socket.destroy();
    }
    await settled();
    const now = await operator.status();
    for (const client of clients) client.socket.destroy();
    await settled();
    clock.advance((20 + secondsLater) * 1_000);
    const answered = (await askCourierDoor({ path: doors.courier, clock }, { kind: "status" })) as {
      readonly state: string;
    };
    return (
      now.state === "none" && answered.state === "none" && same(filesBelow(machine.root), before)
    );
  };
  await fc.assert(fc.asyncProperty(attack, survives), { numRuns: runs });
  t.notOk(doors.logged.includes("side.failed"), "and none of it was a surprise");
});

type Attack = typeof attack extends fc.Arbitrary<infer A> ? A : never;

function filesBelow(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" }).map((file) =>
    path.join("/", file),
  );
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((file, index) => file === b[index]);
}
