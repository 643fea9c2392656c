import t, { type Test } from "tap";
import { fakeReceiver } from "#agent/update/fake-receiver.ts";
import { openTracker } from "#agent/update/tracker.ts";
import type { UpdateEvent } from "#agent/update/update-state.ts";
import { readWish } from "#agent/update/wishes.ts";
import { type FakeIo, fakeIo } from "#core/fake-io.ts";
import { silentLog } from "#core/log.ts";
import { fakeFleet } from "#protocol/trust/fake-fleet.ts";
import { message } from "#protocol/trust/sign/message.ts";
import type { Command } from "./command.ts";
import { command as analyze } from "./commands/analyze.ts";
import { command as status } from "./commands/status.ts";
import { command as update } from "./commands/update.ts";
import { command as watch } from "./commands/watch.ts";

const release = { path: "release/edge-1", name: "edge-1", number: 7, sha256: "0".repeat(64) };
const received: UpdateEvent = { name: "received", update: { updateId: "u-1", release } };
const made: readonly UpdateEvent[] = [
  ...[
    received,
    { name: "verify" } as const,
    { name: "verified" } as const,
    { name: "due" } as const,
  ],
  ...[
    { name: "building" } as const,
    { name: "obtained", transaction: "t1", toplevel: "/nix/store/x" } as const,
  ],
];

/** Lets events happen on a machine, so many milliseconds after each other. */
function happen(io: FakeIo, events: readonly UpdateEvent[], ms = 1_000): void {
  const processes = { self: () => ({ pid: 1, started: "1" }), isAlive: () => false };
  const tracker = openTracker(io, silentLog, processes);
  for (const event of events) {
    tracker.happen(event);
    io.clock.advance(ms);
  }
  tracker.release();
}

/** What a command says, on stdout and stderr. */
async function say(
  command: Command,
  io: FakeIo,
  {
    args = [],
    flags = {},
    json = false,
    meanwhile,
  }: {
    args?: readonly string[];
    flags?: object;
    json?: boolean;
    meanwhile?: (look: number) => void;
  } = {},
) {
  const data: string[] = [];
  const talk: string[] = [];
  let looks = 0;
  const sleep = async (ms: number, signal?: AbortSignal) => {
    await io.clock.sleep(ms, signal);
    looks += 1;
    meanwhile?.(looks);
  };
  const code = await command.run({
    ...{ args, json, log: silentLog, signal: new AbortController().signal },
    flags: { ...flags },
    io: { ...io, clock: { ...io.clock, sleep } },
    out: {
      ...{ data: (text) => void data.push(text), talk: (text) => void talk.push(text) },
      ...{ findings: () => {}, live: undefined, page: { columns: 80, isUnicode: true } },
    },
  });
  return { code, data, talk: talk.join("\n") };
}

const machine = (t: Test) => fakeIo(t.testdir());

t.test("a node that never had an update says so, and takes no word to one", async (t) => {
  const io = machine(t);
  t.match(await say(update, io, { args: ["status"] }), { data: ["no update was assigned yet"] });
  await t.rejects(say(update, io, { args: ["approve", "u-1"] }), { code: "update/unknown" });
  await t.rejects(say(update, io, { args: ["approve"] }), { code: "cli/usage" });
  await t.rejects(say(update, io, { args: ["stop"] }), { code: "cli/usage" });
});

t.test("status says where it stands, to persons and to programs", async (t) => {
  const io = machine(t);
  happen(io, made);
  const line = "u-1: STAGED  since 2026-01-01T00:00:05.000Z  release edge-1 (7)";
  t.match(await say(update, io, { args: ["status"] }), { data: [line] });
  const { data } = await say(update, io, { args: ["status"], json: true });
  t.match(JSON.parse(data[0] ?? ""), { v: 1, update: { state: "STAGED", transaction: "t1" } });
  t.match((await say(status, io)).talk, `update ${line}`);
});

t.test("status says that what the fleet signed counts no longer", async (t) => {
  const fleet = fakeFleet();
  const node = fakeReceiver(t.testdir(), fleet);
  await node.submit(message(fleet.publish()));
  t.notMatch((await say(status, node.io)).talk, /trust show/);
  node.setClock(Date.UTC(2026, 1, 9), true);
  const said = /timestamp 1 expired at 2026-02-.*, and nothing newer came; `firstlight trust show`/;
  t.match((await say(status, node.io)).talk, said);
  const { data } = await say(status, node.io, { json: true });
  t.match(JSON.parse(data[0] ?? ""), { trust: { state: "stale", role: "timestamp", version: 1 } });
});

t.test("what a person says is written down for the update that is under way", async (t) => {
  const io = machine(t);
  happen(io, made);
  for (const name of ["approve", "cancel", "pause"] as const) {
    t.match(await say(update, io, { args: [name, "u-1"] }), { code: 0 });
    t.match(readWish(io.files, name, "u-1"), { updateId: "u-1" });
    t.equal(readWish(io.files, name, "u-2"), undefined);
  }
  await t.rejects(say(update, io, { args: ["cancel", "u-2"] }), {
    code: "update/unknown",
    message: /the update under way is u-1/,
  });
  t.match(await say(update, io, { args: ["resume"] }), { code: 0 });
  t.equal(readWish(io.files, "pause", "u-1"), undefined);
  happen(io, [{ name: "failed", reason: "x", code: "update/closure-mismatch" }]);
  happen(io, [{ name: "cancel" }]);
  await t.rejects(say(update, io, { args: ["pause"] }), { code: "update/unknown" });
});

t.test("watch tells each step of an update, however fast it goes, until it is over", async (t) => {
  const io = machine(t);
  happen(io, made.slice(0, 2));
  const meanwhile = (look: number) => {
    if (look === 1) happen(io, made.slice(2), 1);
    if (look === 3) happen(io, [{ name: "cancel", reason: "called off by ada" }]);
  };
  const flags = { "until-over": true };
  const { code, data } = await say(watch, io, { flags, json: true, meanwhile });
  t.equal(code, 0);
  const lines = data.map((line) => JSON.parse(line));
  t.strictSame(
    lines.map(({ update: { state } }) => state),
    ["VERIFYING", "SCHEDULED", "DOWNLOADING", "BUILDING", "STAGED", "CANCELED"],
  );
  const again = machine(t);
  happen(again, made);
  const late = { "until-over": true, timeout: "2s" };
  t.match(await say(watch, again, { flags: late }), { code: 75, data: [/update u-1: STAGED/] });
});

t.test("watch and status say how much of making a system is done", async (t) => {
  const io = machine(t);
  happen(io, made.slice(0, 4));
  const shares = [0.25, 0.25, 0.5];
  const meanwhile = (look: number) => {
    const share = shares[look - 1];
    if (share === undefined) return happen(io, [{ name: "cancel" }]);
    const tracker = openTracker(io, silentLog, {
      self: () => ({ pid: 1, started: "1" }),
      isAlive: () => false,
    });
    tracker.progress(share);
    tracker.release();
  };
  const { data } = await say(watch, io, { flags: { "until-over": true }, meanwhile });
  t.match(data, [
    /u-1: DOWNLOADING {2}since/,
    /u-1: DOWNLOADING {2}25 % {2}since/,
    /u-1: DOWNLOADING {2}50 % {2}since/,
    /CANCELED/,
  ]);
  happen(io, [{ ...received, update: { updateId: "u-2", release } }, ...made.slice(1, 4)]);
  meanwhile(3);
  t.match(await say(update, io, { args: ["status"] }), { data: [/u-2: DOWNLOADING {2}50 % /] });
});

t.test("analyze draws an update's timeline", async (t) => {
  const io = machine(t);
  happen(io, made);
  io.files.write("/proc/sys/kernel/random/boot_id", "boot-2\n");
  happen(io, [
    { name: "try" },
    { name: "tried" },
    { name: "roll-back", reason: "not well", code: "update/not-healthy" },
    { name: "rolled-back" },
  ]);
  const { data } = await say(analyze, io, { args: ["update"] });
  t.match(data[0], /^2026-01-01T00:00:00\.000Z u-1: release edge-1 \(7\)$/m);
  t.match(data[0], /^ {2}RECEIVED +1\.0 s {2}█/m);
  t.match(data[0], /^ {2}─── boot boot-2$/m);
  t.match(data[0], /^ {6}not well \[update\/not-healthy\]$/m);
  t.match(data[0], /^ {2}in all +9\.0 s$/m);
  const told = await say(analyze, io, { args: ["update"], json: true });
  t.match(JSON.parse(told.data[0] ?? ""), {
    updates: [{ updateId: "u-1", stays: { length: 10 } }],
  });
  await t.rejects(say(analyze, machine(t), { args: ["update"] }), { code: "update/unknown" });
});
