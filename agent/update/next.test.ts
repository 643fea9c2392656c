import t from "tap";
import { fc } from "#core/fast-check.ts";
import { maxRecords, next } from "./next.ts";
import { answerOf, effectOf, eventNames, isOver, isUntouched, stateNames } from "./transitions.ts";
import { type EventName, idle, type StateName, type Update } from "./update-state.ts";

const moment = { at: "2026-01-31T12:00:00.000Z", bootId: "b" };
const release = { path: "release/edge-1", name: "edge-1", number: 1, sha256: "0".repeat(64) };
const update = { updateId: "u-1", release };

function after(events: readonly EventName[], from: Update = idle): Update {
  return events.reduce(
    (state, name) => next(state, name === "received" ? { name, update } : { name }, moment).state,
    from,
  );
}

t.test("the ways of an update", async (t) => {
  const made: EventName[] = ["received", "verify", "verified", "due", "building", "obtained"];
  const ways: readonly (readonly [readonly EventName[], StateName])[] = [
    [[...made, "try", "tried", "commit", "committed"], "SUCCEEDED"],
    [[...made, "try", "restart", "tried", "commit", "committed"], "SUCCEEDED"],
    [["received", "verify", "asks", "approved", "due", "obtained", "try", "tried"], "TESTING"],
    [[...made, "try", "tried", "roll-back", "rolled-back"], "ROLLED_BACK"],
    [
      [...made, "try", "restart", "tried", "roll-back", "restart-back", "rolled-back"],
      "ROLLED_BACK",
    ],
    [[...made, "try", "tried", "commit", "committed", "boot-failed"], "ROLLED_BACK"],
    [[...made, "try", "tried", "roll-back", "stuck"], "ROLLBACK_FAILED"],
    [[...made, "try", "tried", "roll-back", "stuck", "rolled-back"], "ROLLED_BACK"],
    [["received", "verify", "rejected"], "REJECTED"],
    [["received", "verify", "verified", "expire"], "TIMED_OUT"],
    [["received", "verify", "verified", "pause", "resume", "verify"], "VERIFYING"],
    [["received", "verify", "verified", "due", "unchanged"], "SUCCEEDED"],
    [[...made, "again", "due"], "DOWNLOADING"],
    [["received", "verify", "supersede", "received"], "RECEIVED"],
  ];
  for (const [events, state] of ways) t.equal(after(events).state, state, events.join(" "));
  t.match(after(["received", "verify", "verified", "due", "again", "due"]), { attempt: 2 });
});

t.test(
  "cancel drops what is untouched, takes back what is tried, and is too late at the commit",
  async (t) => {
    for (const state of stateNames) {
      const answer = answerOf(state, "cancel");
      if (isUntouched(state)) t.equal(answer, "CANCELED", state);
      else if (["INSTALLING", "REBOOTING", "TESTING"].includes(state))
        t.equal(answer, "ROLLING_BACK", state);
      else t.equal(answer, "misfit", state);
    }
  },
);

t.test(
  "from COMMITTING only the journal itself leads back, by a commit that cannot be",
  async (t) => {
    const back = eventNames.filter((event) => answerOf("COMMITTING", event) === "ROLLING_BACK");
    t.same(back, ["roll-back"]);
    t.same(
      eventNames.filter((event) => answerOf("SUCCEEDED", event) !== "misfit"),
      ["received", "boot-failed"],
    );
    t.equal(answerOf("SUCCEEDED", "boot-failed"), "ROLLED_BACK");
  },
);

t.test("an update that is over stays so until the next one is received", async (t) => {
  for (const state of stateNames.filter(isOver)) {
    t.equal(effectOf(state), undefined, state);
    const fits = eventNames.filter((event) => answerOf(state, event) !== "misfit");
    const others = {
      ROLLBACK_FAILED: ["received", "rolled-back"],
      SUCCEEDED: ["received", "boot-failed"],
    };
    t.same(fits, others[state as keyof typeof others] ?? ["received"], state);
  }
});

t.test(
  "whatever happens, an update has at most 28 records, and what was begun gets to its end",
  async (t) => {
    const event = fc.constantFrom(...eventNames.filter((name) => name !== "received"));
    fc.assert(
      fc.property(fc.array(event, { maxLength: 300 }), (events) => {
        const end = after(events, after(["received"]));
        t.ok(end.records <= maxRecords);
        if (end.state === "FAILED" && end.code === "update/looping") t.match(end.reason, /no end/);
      }),
      { numRuns: 300 },
    );
    const round: EventName[] = ["due", "building", "again"];
    const rounds = Array.from({ length: 20 }, () => round).flat();
    const given = after(rounds, after(["received", "verify", "verified"]));
    t.match(given, { state: "FAILED", code: "update/looping" });
    const begun = after([
      "received",
      "verify",
      "verified",
      ...rounds.slice(0, 15),
      "due",
      "obtained",
    ]);
    t.match(after(["try", "restart", "tried", "roll-back", "restart-back", "rolled-back"], begun), {
      state: "ROLLED_BACK",
    });
  },
);

t.test("a misfit changes nothing and asks for nothing", async (t) => {
  const testing = after(["received", "verify", "verified", "due", "obtained", "try", "tried"]);
  t.strictSame(next(testing, { name: "expire" }, moment), {
    ...{ state: testing, event: "expire", effects: [] },
  });
});
