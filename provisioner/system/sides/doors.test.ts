import { existsSync } from "node:fs";
import path from "node:path";
import t from "tap";
import type { OperatorAsk } from "#generated/provisioner/system/sides/operator-ask.ts";
import { systemClient } from "../client.ts";
import { fakeMachine, fakeSources, systemOf } from "../fake-machine.ts";
import type { ChangeReason, SystemEvent, SystemRequest, Verdict } from "../system.ts";
import { askCourierDoor, systemOverSocket } from "./connect.ts";
import { manualClock, openFakeDoors, rawClient } from "./fake-doors.ts";

const reason: ChangeReason = { by: "apply", why: "a test", instanceId: "i-1" };
const healthy: Verdict = { healthy: true, reasons: ["all passed"], passes: 3, ms: 1 };
const sick: Verdict = { healthy: false, reasons: ["http: refused"], passes: 0, ms: 1 };
const one = fakeSources("one");

/** Lets everything happen that is ready: both ends of each socket are in this process. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** As the generated types are, but that nothing of them may be changed. */
type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;

t.test("whatever the system can be asked, its schema describes", async (t) => {
  // Types only: a request or a field that one of the two has not does not compile.
  const written = (request: SystemRequest): Frozen<OperatorAsk["request"]> => request;
  const kinds = (kind: OperatorAsk["request"]["kind"]): SystemRequest["kind"] => kind;
  type Build = Extract<SystemRequest, { kind: "build" }>;
  type WireBuild = Frozen<Extract<OperatorAsk["request"], { kind: "build" }>>;
  const build = (request: WireBuild): Build => request;
  type Commit = Extract<SystemRequest, { kind: "commit" }>;
  type WireCommit = Frozen<Extract<OperatorAsk["request"], { kind: "commit" }>>;
  const verdict = (request: WireCommit): Commit["verdict"] => request.verdict;
  // Closed in the schema: a key that only the type has would be refused.
  type Closed = [
    Build["sources"],
    Build["reason"],
    Commit["verdict"],
    Build["sources"]["files"][0],
  ];
  type Wire = [
    WireBuild["sources"],
    WireBuild["reason"],
    WireCommit["verdict"],
    WireBuild["sources"]["files"][0],
  ];
  const keys = (
    of: { [I in keyof Closed]: keyof Closed[I] },
  ): { [I in keyof Wire]: keyof Wire[I] } => of;
  t.ok([written, kinds, build, verdict, keys].every((check) => typeof check === "function"));
});

t.test("the whole system, over a socket as in one process", async (t) => {
  const machine = fakeMachine(t.testdir());
  const doors = await openFakeDoors(t, machine);
  const system = systemOverSocket({ path: doors.operator, clock: manualClock() });
  const events: SystemEvent[] = [];
  const c = systemClient(system, { onEvent: (event) => events.push(event) });

  t.match(await c.recover(), { state: "clean" });
  const trial = await c.try(await c.plan(await c.build(one, reason)));
  t.equal(machine.running(), systemOf(one));
  t.equal(machine.bootDefault(), machine.image);
  t.match(await c.status(), { state: "tried", transaction: trial.transaction, reason });
  t.match(await c.commit(trial, healthy), { toplevel: systemOf(one) });
  t.match(await c.status(), { state: "none", transaction: null, running: systemOf(one) });
  t.equal(machine.bootDefault(), systemOf(one));
  t.match(await c.runs(one.digest), { runs: true });

  const two = fakeSources("two");
  const bad = await c.try(await c.plan(await c.build(two, reason)));
  t.match(await c.rollBack(bad, sick), { toplevel: systemOf(one) });
  const { generations } = await c.history();
  t.match(
    generations.find(({ outcome }) => outcome === "rolled-back"),
    { verdict: sick },
  );
  const commands = events.filter(({ type }) => type === "command");
  t.match(events, [{ type: "step", step: "build", state: "started" }]);
  t.match(commands, [{ argv: /nix-instantiate/ }, { argv: /--dry-run|--realise/ }]);
  await t.rejects(c.planGeneration(99, reason), {
    code: "system/generation-unknown",
    message: /generation 99/,
  });
  t.match(await c.runs(one.digest), { runs: true }, "and the connection is as good as before");
  system.close();
});

t.test("two operators at once: one changes the system, the other is told so", async (t) => {
  const machine = fakeMachine(t.testdir());
  const { operator } = await openFakeDoors(t, machine);
  const first = systemOverSocket({ path: operator, clock: manualClock() });
  const a = systemClient(first);
  const b = systemClient(systemOverSocket({ path: operator, clock: manualClock() }));
  const inProcess = systemClient(machine.start({ beside: true }).system);

  const plan = await a.plan(await a.build(one, reason));
  const trial = await a.try(plan);
  for (const other of [b, inProcess]) {
    await t.rejects(other.build(fakeSources("two"), reason), { code: "system/locked" });
    await t.rejects(other.recover(), { code: "system/locked" });
    await t.rejects(other.rollBack(trial, sick), { code: "system/locked" });
    t.match(await other.status(), { state: "tried" }, "questions are answered all the same");
  }
  t.equal(machine.running(), systemOf(one), "and the trial is where it was");

  first.close(); // as when its process is killed
  await settled();
  t.match(await b.recover(), { state: "rolled-back" });
  t.equal(machine.running(), machine.image);
});

t.test("a build is called off when its connection is closed, an activation is not", async (t) => {
  const machine = fakeMachine(t.testdir());
  const { operator } = await openFakeDoors(t, machine);
  const abort = new AbortController();
  machine.faults.answers.set("nix-store", async ({ signal }) => {
    abort.abort();
    if (signal?.aborted === false) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    }
    return { code: null, aborted: true };
  });
  const client = systemClient(systemOverSocket({ path: operator, clock: manualClock() }), {
    signal: abort.signal,
  });
  await t.rejects(client.build(one, reason), { code: "system/canceled" });
  machine.faults.answers.clear();

  const raw = await rawClient(t, operator);
  const c = systemClient(systemOverSocket({ path: operator, clock: manualClock() }));
  const plan = await c.plan(await c.build(one, reason));
  raw.ask({ kind: "try", plan, watchMs: 0 });
  t.match(await raw.line(), { type: "taken" });
  raw.socket.destroy();
  await settled();
  t.match(await c.status(), { state: "tried" }, "the trial came to its end");
  t.match(await c.recover(), { state: "rolled-back" }, "and nobody holds it any more");
});

t.test("what a door does not take is refused, with what does not fit", async (t) => {
  const machine = fakeMachine(t.testdir());
  const { operator, courier } = await openFakeDoors(t, machine);
  const ask = (request: unknown) => JSON.stringify({ v: 1, request });
  const cases: readonly (readonly [string, string, string, RegExp])[] = [
    [courier, "nothing", "side/refused", /JSON/],
    [courier, "null", "side/refused", /object/],
    [courier, "[]", "side/refused", /object/],
    [courier, '{"v":1}', "side/refused", /request/],
    [courier, JSON.stringify({ v: 2, request: { kind: "status" } }), "side/version", /version 1/],
    [courier, JSON.stringify({ v: "1", request: { kind: "status" } }), "side/refused", /\/v/],
    [courier, ask(null), "side/refused", /null/],
    [courier, ask({ kind: "__proto__" }), "side/refused", /__proto__/],
    [courier, ask({ kind: "status", now: true }), "side/refused", /"now"/],
    [
      courier,
      JSON.stringify({ v: 1, request: { kind: "status" }, as: "root" }),
      "side/refused",
      /"as"/,
    ],
    [courier, ask({ kind: "runs", sourcesDigest: "../../etc/shadow" }), "side/refused", /pattern/],
    [courier, ask({ kind: "runs" }), "side/refused", /sourcesDigest/],
    [
      courier,
      ask({ kind: "submit", topic: "desired", bytes: "$(reboot)" }),
      "side/refused",
      /pattern/,
    ],
    [operator, ask({ kind: "submit", topic: "desired", bytes: "e30=" }), "side/refused", /submit/],
    [
      operator,
      ask({ kind: "build", sources: one, reason: { ...reason, by: "x" } }),
      "side/refused",
      /by/,
    ],
    [operator, ask({ kind: "recover", force: true }), "side/refused", /"force"/],
  ];
  for (const [door, line, code, message] of cases) {
    const client = await rawClient(t, door);
    client.send(`${line}\n`);
    t.match(await client.line(), { type: "fault", fault: { code, message } }, line);
    t.equal(await client.line(), undefined, "and the connection is closed");
  }
});

t.test("the courier's door answers questions and takes nothing else", async (t) => {
  const machine = fakeMachine(t.testdir());
  const c = systemClient(machine.start({ beside: true }).system);
  const closure = await c.build(one, reason);
  const plan = await c.plan(closure);
  const trial = { ...(await c.try(plan)) };
  const before = machine.read("/var/lib/firstlight/journal/journal.jsonl");
  const { courier } = await openFakeDoors(t, machine);
  const address = { path: courier, clock: manualClock() };

  const orders: readonly SystemRequest[] = [
    { kind: "recover" },
    { kind: "build", sources: one, reason },
    { kind: "plan", closure },
    { kind: "plan-generation", generation: null, reason },
    { kind: "try", plan, watchMs: 1 },
    { kind: "commit", trial, verdict: healthy },
    { kind: "roll-back", trial, verdict: sick },
    { kind: "fetch", signed: "{}", sources: null, reason },
    { kind: "drift", deep: true, share: 1 },
    { kind: "repair", deep: true, share: 1 },
  ];
  for (const order of orders) {
    await t.rejects(askCourierDoor(address, order), {
      code: "side/refused",
      message: new RegExp(`"${order.kind}"`),
    });
  }
  t.equal(machine.read("/var/lib/firstlight/journal/journal.jsonl"), before);
  t.equal(machine.bootDefault(), machine.image);

  t.match(await askCourierDoor(address, { kind: "status" }), { state: "tried" });
  t.match(await askCourierDoor(address, { kind: "history" }), { generations: [] });
  t.match(await askCourierDoor(address, { kind: "runs", sourcesDigest: one.digest }), {
    runs: false,
    toplevel: systemOf(one),
  });
  await t.rejects(askCourierDoor(address, { kind: "submit", topic: "desired", bytes: "e30=" }), {
    code: "side/submit-not-taken",
  });
  t.notOk(existsSync(path.join(machine.root, "var/lib/firstlight-agent")));
});

t.test("who says nothing, or says it too slowly, is let go", async (t) => {
  const clock = manualClock();
  const { courier, operator } = await openFakeDoors(t, fakeMachine(t.testdir()), { clock });
  for (const door of [courier, operator]) {
    const silent = await rawClient(t, door);
    const slow = await rawClient(t, door);
    await settled();
    for (let second = 0; second < 10; second++) {
      slow.send('{"v":1,'.charAt(second % 7));
      await settled();
      clock.advance(1_000);
    }
    t.match(await silent.line(), { type: "fault", fault: { code: "side/timeout" } });
    t.match(await slow.line(), { type: "fault", fault: { code: "side/timeout" } });
  }
  const patient = await rawClient(t, operator);
  patient.ask({ kind: "status" });
  t.match(await patient.answer(), { type: "result" });
  clock.advance(86_400_000);
  await settled();
  patient.ask({ kind: "status" });
  t.match(await patient.answer(), { type: "result" }, "an operator may think for a day");
});

t.test("a flood at the courier's door does not reach the operator's", async (t) => {
  const clock = manualClock();
  const { courier, operator } = await openFakeDoors(t, fakeMachine(t.testdir()), { clock });
  const flood = await Promise.all(Array.from({ length: 100 }, () => rawClient(t, courier)));
  const refused = await Promise.all(flood.slice(8).map((client) => client.line()));
  t.ok(
    refused.every((answer) => answer?.fault?.code === "side/busy"),
    "eight may stay",
  );

  const system = systemOverSocket({ path: operator, clock });
  t.match(await systemClient(system).status(), { state: "none" });
  system.close();
  for (const client of flood) client.socket.destroy();
  await settled();
  t.match(await askCourierDoor({ path: courier, clock }, { kind: "status" }), { state: "none" });
});

t.test("the courier is answered as often as its pace allows", async (t) => {
  const clock = manualClock();
  const { courier } = await openFakeDoors(t, fakeMachine(t.testdir()), { clock });
  const address = { path: courier, clock };
  for (let n = 0; n < 20; n++) await askCourierDoor(address, { kind: "status" });
  await t.rejects(askCourierDoor(address, { kind: "status" }), { code: "side/busy" });
  clock.advance(1_000);
  t.match(await askCourierDoor(address, { kind: "status" }), { state: "none" });
  await t.rejects(askCourierDoor(address, { kind: "status" }), { code: "side/busy" });
});

t.test("messages out of turn and without an end are refused", async (t) => {
  const { courier } = await openFakeDoors(t, fakeMachine(t.testdir()));
  const status = '{"v":1,"request":{"kind":"status"}}\n';
  const eager = await rawClient(t, courier);
  eager.send(status + status);
  t.match(await eager.line(), { fault: { code: "side/out-of-turn" } });

  const endless = await rawClient(t, courier);
  endless.send("[".repeat(384 * 1024 + 1));
  t.match(await endless.line(), { fault: { code: "side/too-large" } });

  const half = await rawClient(t, courier);
  half.socket.end(status.slice(0, 10));
  t.equal(await half.line(), undefined, "an unfinished line is no message");

  const over = await rawClient(t, courier);
  over.socket.end(status);
  t.match(await over.answer(), { type: "result" }, "a question is answered after the asker's end");
});

t.test("a reader that does not read holds nothing up", async (t) => {
  const line = "x".repeat(4_000);
  const lines = 2_000;
  let finished = false;
  const door = {
    name: "operator" as const,
    limits: { maxBytes: 1_000, connections: 1, firstMs: 1_000, idleMs: null },
    read: () => ({ kind: "talk" }),
    open: async () => ({
      async answer(_request: unknown, onEvent: (event: SystemEvent) => void) {
        for (let n = 0; n < lines; n++) onEvent({ type: "build-log", line, derivation: null });
        finished = true;
        return { lines };
      },
      close() {},
    }),
  };
  const clock = manualClock();
  const { operator } = await openFakeDoors(t, fakeMachine(t.testdir()), {
    clock,
    doors: { operator: door },
  });
  const client = await rawClient(t, operator);
  client.send("go\n");
  await settled();
  t.ok(finished, "the work went on to its end");
  let told = 0;
  for (;;) {
    const answer = await client.line();
    if (answer?.type === "result") break;
    const left = /^\((\d+) events/.exec(answer?.event?.line ?? "");
    told += left === null ? (answer?.type === "event" ? 1 : 0) : Number(left[1]);
  }
  t.equal(told, lines, "what was left out was counted");

  client.socket.destroy();
  await settled();
  const deaf = await rawClient(t, operator);
  deaf.send("go\n");
  await settled();
  clock.advance(60_000);
  await settled();
  const next = await rawClient(t, operator);
  next.send("go\n");
  t.match(await next.answer(), { type: "result" }, "and a deaf one is let go");
});

t.test("the root side ends when nobody needs it, and not before", async (t) => {
  const clock = manualClock();
  const machine = fakeMachine(t.testdir());
  const doors = await openFakeDoors(t, machine, { clock, idleMs: 5_000 });
  const system = systemOverSocket({ path: doors.operator, clock });
  await systemClient(system).status();
  let ended = false;
  doors.ended.then(
    () => {
      ended = true;
    },
    () => {},
  );
  clock.advance(60_000);
  await settled();
  t.notOk(ended, "a connection keeps it");
  system.close();
  await settled();
  clock.advance(4_999);
  await settled();
  t.notOk(ended);
  clock.advance(1);
  t.equal(await doors.ended, "idle");
  await t.rejects(systemClient(systemOverSocket({ path: doors.operator, clock })).status(), {
    code: "side/unreachable",
  });
});

t.test("told to end, the root side finishes what must not be called off", async (t) => {
  const machine = fakeMachine(t.testdir());
  const doors = await openFakeDoors(t, machine);
  const c = systemClient(systemOverSocket({ path: doors.operator, clock: manualClock() }));
  const plan = await c.plan(await c.build(one, reason));
  machine.faults.answers.set("switch test", () => {
    doors.stop();
    return undefined;
  });
  t.match(await c.try(plan), { activation: "switched" });
  t.equal(await doors.ended, "told");
  await t.rejects(c.status(), { code: "side/lost" });
  t.match(await systemClient(machine.start().system).recover(), { state: "rolled-back" });
});
