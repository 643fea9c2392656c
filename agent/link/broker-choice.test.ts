import t from "tap";
import { Fault } from "#core/fault.ts";
import type { Random } from "#core/io.ts";
import { brokerChoice, type NextTry, type TryEnd } from "./broker-choice.ts";
import { ClosedWithoutWord, MovedFault, reasonFault } from "./connect-fault.ts";
import { defaultLimits } from "./link-settings.ts";

/** Every wait is as long as it can be. */
const longest: Random = { uuid: () => "", bytes: (length) => new Uint8Array(length).fill(255) };
const shortest: Random = { uuid: () => "", bytes: (length) => new Uint8Array(length) };

const places = ["one", "two", "three"].map((name) => ({ host: `${name}.example.org`, port: 8883 }));
const choose = (count: number, random = longest) =>
  brokerChoice(places.slice(0, count), defaultLimits, random);

const away: TryEnd = { fault: new Fault("link/unreachable", "away"), heldMs: 0 };
const lostAfter = (heldMs: number): TryEnd => ({
  fault: new Fault("link/lost", "lost"),
  heldMs,
});
const closedAfter = (heldMs: number): TryEnd => ({
  fault: new ClosedWithoutWord("one"),
  heldMs,
});
const saying = (reason: number, reference?: string): TryEnd => ({
  fault: reasonFault(reason, "one", reference) ?? new Fault("link/lost", "other"),
  heldMs: 0,
});
const waits = (next: readonly NextTry[]) => next.map(({ waitMs }) => waitMs / 1000);

t.test("one broker that is away is tried less and less often, up to a bound", async (t) => {
  const choice = choose(1);
  const next = Array.from({ length: 10 }, () => choice.ended(away));
  t.same(waits(next), [1, 2, 4, 8, 16, 32, 64, 120, 120, 120]);
  t.equal(choice.lookBackMs(), undefined);
  t.equal(
    choice.ended(lostAfter(61_000)).waitMs,
    1000,
    "a connection that held counts as a success",
  );
  t.equal(choice.ended(away).waitMs, 2000);
});

t.test("several are tried in order, and the wait grows from round to round", async (t) => {
  const choice = choose(3);
  const tried: number[] = [];
  const next = Array.from({ length: 9 }, () => {
    tried.push(choice.current());
    return choice.ended(away);
  });
  t.same(tried, [0, 1, 2, 0, 1, 2, 0, 1, 2]);
  t.same(waits(next), [1, 1, 1, 1, 1, 2, 1, 1, 4]);
});

t.test(
  "what worked is tried first when it is lost, then the others from the first on",
  async (t) => {
    const choice = choose(3);
    choice.ended(away);
    t.equal(choice.current(), 1);
    choice.ended(lostAfter(3_600_000));
    const tried = Array.from({ length: 5 }, () => {
      const at = choice.current();
      choice.ended(away);
      return at;
    });
    t.same(tried, [1, 0, 2, 0, 1]);
  },
);

t.test("the first one is gone back to, less often each time that leads to nothing", async (t) => {
  const choice = choose(2);
  const minutes = () => (choice.lookBackMs() ?? Number.NaN) / 60_000;
  choice.ended(away);
  t.equal(minutes(), 30);
  const looks = Array.from({ length: 7 }, () => {
    choice.goBack();
    t.equal(choice.current(), 0);
    choice.ended(away);
    t.equal(choice.current(), 1, "the one that works is next");
    return minutes();
  });
  t.same(looks, [60, 120, 240, 480, 960, 1440, 1440]);
  choice.goBack();
  choice.ended(lostAfter(61_000));
  choice.ended(away);
  t.equal(minutes(), 30, "it had worked");
  const early = choose(2, shortest);
  early.ended(away);
  t.equal(early.lookBackMs(), 15 * 60_000, "by chance between half and whole");
});

t.test("a broker is followed to another one that is in the list, and nowhere else", async (t) => {
  for (const reference of [
    "three.example.org:8883",
    "THREE.example.org",
    "x:1 three.example.org",
  ]) {
    const choice = choose(3);
    choice.ended(saying(0x9d, reference));
    t.equal(choice.current(), 2, reference);
  }
  for (const reference of ["evil.example.net:8883", "three.example.org:1", "", undefined]) {
    const choice = choose(3);
    t.ok(saying(0x9c, reference).fault instanceof MovedFault);
    choice.ended(saying(0x9c, reference));
    t.equal(choice.current(), 1, `${reference}: the next one, as of any that does not take it`);
  }
  const choice = choose(2);
  const next = Array.from({ length: 12 }, () =>
    choice.ended(saying(0x9d, choice.current() === 0 ? "two.example.org" : "one.example.org")),
  );
  t.equal(waits(next).at(-1), 120, "two that name each other are not followed at full speed");
});

t.test("a broker that has too much to do is left alone for longer", async (t) => {
  for (const reason of [0x89, 0x97, 0x9f, 3]) {
    const choice = choose(1);
    t.match(saying(reason).fault, { code: "link/overloaded" });
    t.same(
      waits(Array.from({ length: 7 }, () => choice.ended(saying(reason)))),
      [30, 60, 120, 240, 480, 900, 900],
    );
    t.equal(choice.ended(away).waitMs, 120_000, "and then as of any that is away");
  }
});

t.test("who is thrown out by another client waits longer and longer", async (t) => {
  const choice = choose(1);
  const thrownOut = saying(0x8e);
  t.match(thrownOut.fault, { code: "link/session-conflict" });
  const next = Array.from({ length: 9 }, () => choice.ended({ ...thrownOut, heldMs: 1_000 }));
  t.same(waits(next), [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
  t.same(next[1]?.conflict, { isCertain: true, times: 2 });
  t.equal(choice.ended({ ...thrownOut, heldMs: 7_200_000 }).conflict?.times, 1, "long ago");
});

t.test(
  "where the broker gives no reason it shows in connections that are closed one after another",
  async (t) => {
    const choice = choose(1);
    const first = [100_000, 1_500, 900, 4_000].map((heldMs) => choice.ended(closedAfter(heldMs)));
    t.same(
      first.map(({ conflict }) => conflict),
      [undefined, undefined, undefined, { isCertain: false, times: 1 }],
    );
    t.same(
      choice.ended(closedAfter(1_500_000)).conflict,
      { isCertain: false, times: 2 },
      "a long wait of the other one is no end of it",
    );
    t.equal(choice.ended(closedAfter(7_300_000)).conflict, undefined, "hours are");

    const others: readonly (readonly [string, readonly TryEnd[]])[] = [
      [
        "a broker that restarts",
        [closedAfter(500), away, closedAfter(500), away, closedAfter(500)],
      ],
      ["with a reason", Array.from({ length: 5 }, () => lostAfter(500))],
      ["connections that hold", Array.from({ length: 5 }, () => closedAfter(90_000))],
    ];
    for (const [name, ends] of others) {
      const other = choose(1);
      t.same(
        ends.map((end) => other.ended(end).conflict).filter((conflict) => conflict !== undefined),
        [],
        name,
      );
    }
  },
);
