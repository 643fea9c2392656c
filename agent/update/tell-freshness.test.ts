import t, { type Test } from "tap";
import { openSpool } from "#agent/link/spool.ts";
import { silentLog } from "#core/log.ts";
import { fakeFleet } from "#protocol/trust/fake-fleet.ts";
import { freshnessOf, freshnessText } from "#protocol/trust/freshness.ts";
import { timeText } from "#protocol/trust/metadata.ts";
import { message } from "#protocol/trust/sign/message.ts";
import { fakeReceiver } from "./fake-receiver.ts";
import { readFreshness, tellFreshness } from "./tell-freshness.ts";
import { trustedStore } from "./trusted-store.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const trusting = { rootFile: undefined, clockTrusted: true };

/** A node that its fleet has told something once; its timestamp counts for six hours. */
async function heardOnce(t: Test) {
  const fleet = fakeFleet();
  const node = fakeReceiver(t.testdir(), fleet);
  await node.submit(message(fleet.publish()));
  const { io } = node;
  const ends = (role: "root" | "targets" | "timestamp") => {
    const stored = JSON.parse(io.files.readText("/var/lib/firstlight/trust/state.json") ?? "");
    return Date.parse(stored[role].signed.expires);
  };
  const at = (ms: number) => node.setClock(ms, true);
  const events = () =>
    [...openSpool(io.files, silentLog).after(0)]
      .flatMap((file) => file.events)
      .filter(({ kind }) => kind === "trust.stale")
      .map(({ body }) => body);
  return { fleet, node, io, ends, at, events };
}

t.test("a server that is silent is told, once, and again when it was heard since", async (t) => {
  const { fleet, node, io, ends, at, events } = await heardOnce(t);
  const tell = () => tellFreshness(io, silentLog, trusting);
  tell();
  t.same(events(), [], "all of it counts");
  const startMs = io.clock.now();
  const endMs = ends("timestamp");
  at(endMs - (endMs - startMs) / 5);
  tell();
  tell();
  t.match(events(), [{ state: "soon", role: "timestamp", version: 1 }]);
  t.equal(events().length, 1);
  at(endMs + 7 * dayMs);
  for (let round = 0; round < 3; round += 1) tell();
  t.match(events().slice(1), [{ state: "stale", role: "timestamp", version: 1 }]);
  t.equal(events().length, 2, "each once");

  fleet.nowMs = io.clock.now();
  await node.submit(message(fleet.publish()));
  tell();
  t.equal(readFreshness(io, trusting)?.role === "timestamp", false);
  at(ends("timestamp") + 1_000);
  tell();
  t.match(events().at(-1), { state: "stale", role: "timestamp", version: 2 }, "silent again");
});

t.test(
  "what the owners have signed is told a week before its end, and before the rest",
  async (t) => {
    const { io } = await heardOnce(t);
    const { trusted } = trustedStore(io).read();
    const { root, targets, timestamp } = trusted;
    if (targets === undefined || timestamp === undefined) throw new Error("nothing was taken");
    const nowMs = io.clock.now();
    const look = (role: "root" | "targets" | "timestamp", leftMs: number, other = trusted) => {
      const expires = timeText(nowMs + leftMs);
      const changed = {
        root: { ...other, root: { ...root, signed: { ...root.signed, expires } } },
        targets: { ...other, targets: { ...targets, signed: { ...targets.signed, expires } } },
        timestamp: {
          ...other,
          timestamp: { ...timestamp, signed: { ...timestamp.signed, expires } },
        },
      }[role];
      return { changed, found: freshnessOf(changed, { nowMs, clockTrusted: true }) };
    };
    for (const role of ["root", "targets"] as const) {
      t.equal(look(role, 8 * dayMs).found, null, role);
      t.match(look(role, 6 * dayMs).found, { state: "soon", role });
      t.match(look(role, -1_000).found, { state: "stale", role });
    }
    const { changed } = look("timestamp", -hourMs);
    t.match(
      look("targets", -hourMs, changed).found,
      { role: "targets" },
      "no server can mend that",
    );
    t.match(look("targets", dayMs, changed).found, { state: "stale", role: "timestamp" });
    t.match(
      freshnessText({ state: "soon", role: "root", version: 3, expires: "x" }),
      /root 3 expires/,
    );
  },
);

t.test("a clock that nobody has set says nothing; a node of no fleet neither", async (t) => {
  const { io, at, events } = await heardOnce(t);
  at(Date.UTC(2050, 0, 1));
  const untrusted = { rootFile: undefined, clockTrusted: false };
  t.equal(readFreshness(io, untrusted), null);
  tellFreshness(io, silentLog, untrusted);
  t.same(events(), []);
  t.match(readFreshness(io, trusting), { state: "stale", role: "root" });
  const none = fakeReceiver(t.testdir(), fakeFleet());
  t.equal(readFreshness(none.io, trusting), null, "nothing was ever taken");
  none.io.files.remove("/etc/firstlight/root.json");
  t.equal(readFreshness(none.io, trusting), null);
});

t.test("a disk that takes no more is no reason to stop", async (t) => {
  const { io, at, ends, events } = await heardOnce(t);
  at(ends("timestamp") + 1);
  io.files.write("/var/lib/firstlight/report/events", "no directory");
  tellFreshness(io, silentLog, trusting);
  io.files.remove("/var/lib/firstlight/report/events");
  tellFreshness(io, silentLog, trusting);
  t.equal(events().length, 1, "told later");
});
