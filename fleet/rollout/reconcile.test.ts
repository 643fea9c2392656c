import t from "tap";
import { command } from "./commands.ts";
import { definitionOf, FakeRollout, minuteMs, nodeOf, nodesOf } from "./fake-rollout.ts";
import { reconcile } from "./reconcile.ts";

const hourMs = 60 * minuteMs;

t.test("a wave starts its share of the nodes, and the next one when it has passed", async (t) => {
  const waves = [{ name: "tenth", size: "10%", soak: "1h" }, { name: "wide" }];
  const play = new FakeRollout(definitionOf({ waves }), nodesOf(40));
  play.step();
  t.equal(play.inProgress().length, 4);
  play.sayAll("INSTALLING");
  play.step();
  t.match(play.phase, { state: "RUNNING", wave: 0 });
  play.sayAll("SUCCEEDED");
  play.step();
  t.match(play.phase, { state: "SOAKING", wave: 0 });
  play.step(hourMs - minuteMs);
  t.equal(play.inProgress().length, 0, "not before the soak is over");
  play.step();
  t.match(play.phase, { state: "RUNNING", wave: 1 });
  t.equal(play.inProgress().length, 36);
  play.sayAll("SUCCEEDED");
  play.step();
  t.match(play.phase, { state: "SUCCEEDED", reason: "40 nodes have the release" });
  t.strictSame(
    play.events.map((each) => ("to" in each ? each.to.state : each.event)),
    [
      ...["wave.started", "SOAKING", "wave.passed", "RUNNING"],
      ...["wave.started", "wave.passed", "CONVERGING", "SUCCEEDED"],
    ],
  );
});

t.test("a canary of each hardware model goes first, also of one that comes later", async (t) => {
  const waves = [{ name: "canary", perModel: 1 }, { name: "wide" }];
  const nodes = ["a", "b"].flatMap((model) =>
    [1, 2, 3].map((number) => nodeOf(`${model}${number}`, { hardware: `acme/${model}` })),
  );
  const play = new FakeRollout(definitionOf({ waves }), nodes);
  play.step();
  t.strictSame(
    play
      .inProgress()
      .map((name) => name[0])
      .sort(),
    ["a", "b"],
  );
  play.sayAll("SUCCEEDED");
  for (const name of ["c1", "c2", "c3"]) play.nodes.set(name, nodeOf(name, { hardware: "acme/c" }));
  play.step();
  t.equal(play.inProgress().length, 5, "four of the proved models, and a canary of the new one");
  t.equal(play.last?.tally.waiting.canary, 2);
  play.sayAll("SUCCEEDED");
  play.step();
  t.equal(play.inProgress().length, 2, "then the rest of it");
});

t.test("a model whose canary failed stays back; a person can let it go on", async (t) => {
  const waves = [
    { name: "canary", perModel: 1, failures: "50%", success: "50%" },
    { name: "wide", failures: "50%" },
  ];
  const nodes = ["a", "b"].flatMap((model) =>
    [1, 2, 3].map((number) => nodeOf(`${model}${number}`, { hardware: `acme/${model}` })),
  );
  const play = new FakeRollout(definitionOf({ waves }), nodes);
  play.step();
  for (const name of play.inProgress())
    play.say(name, name[0] === "a" ? "ROLLED_BACK" : "SUCCEEDED");
  play.step();
  t.ok(
    play.inProgress().every((name) => name.startsWith("b")),
    "only the other model",
  );
  t.equal(play.last?.tally.waiting.held, 2);
  play.rollout = command(play.rollout, "pause", { nowMs: play.nowMs, reason: "looked at" });
  play.step();
  play.rollout = command(play.rollout, "resume", { nowMs: play.nowMs, reason: "it was the cable" });
  play.step();
  t.equal(play.inProgress().filter((name) => name.startsWith("a")).length, 2);
});

t.test("more failures than are borne pause a rollout; resume goes on from them", async (t) => {
  const waves = [{ name: "first", size: 10, failures: 1, success: "50%" }, { name: "wide" }];
  const play = new FakeRollout(definitionOf({ waves }), nodesOf(30));
  play.step();
  const [one = "", two = "", ...rest] = play.inProgress();
  play.say(one, "ROLLED_BACK");
  play.step();
  t.match(play.phase, { state: "RUNNING", wave: 0 });
  play.say(two, "FAILED");
  play.step();
  t.match(play.phase, {
    state: "PAUSED",
    reason: "wave first: 2 of 10 failed, where 1 are borne",
  });
  for (const name of rest) play.say(name, "SUCCEEDED");
  play.step();
  t.equal(play.in("SUCCEEDED").length, 8, "what is in progress is heard of");
  t.equal(play.inProgress().length, 0);
  play.rollout = command(play.rollout, "resume", { nowMs: play.nowMs, reason: "known" });
  play.step();
  t.match(play.phase, { state: "RUNNING", wave: 1 });
  t.equal(play.inProgress().length, 20);
});

t.test("a wave that ends with too few successes fails, and everything is taken back", async (t) => {
  const waves = [{ name: "first", size: 4, failures: 4 }, { name: "wide" }];
  const budgets = [{ by: "site", max: 1 }];
  const play = new FakeRollout(
    definitionOf({ waves, budgets, onFailure: "roll-back" }),
    nodesOf(12, { labels: { site: "berlin" } }),
  );
  for (let round = 0; round < 4; round++) {
    play.step();
    t.equal(play.inProgress().length, 1, "one at a time, by the budget");
    play.sayAll(round < 2 ? "SUCCEEDED" : "ROLLED_BACK");
  }
  play.step();
  t.match(play.phase, {
    state: "ROLLING_BACK",
    reason: "wave first: 2 of 4 succeeded, where 4 are needed",
  });
  t.equal(play.inProgress().length, 1, "under the same budget");
  t.match(
    [...play.nodes.values()].find(({ progress }) => progress?.direction === "back")?.progress,
    {
      state: "ASSIGNED",
      from: { name: "web", number: 6 },
    },
  );
  t.strictSame(play.step(0), [], "nothing twice");
  play.sayAll("SUCCEEDED");
  play.step();
  play.sayAll("SUCCEEDED");
  play.step();
  t.match(play.phase, { state: "ROLLED_BACK" });
  t.strictSame(play.last?.tally.back, { inProgress: 0, done: 2, stuck: 0 });
});

t.test("a node that has nothing to go back to is told of at the end", async (t) => {
  const play = new FakeRollout(definitionOf(), [nodeOf("new", { release: null })]);
  play.step();
  play.sayAll("SUCCEEDED");
  play.rollout = command(play.rollout, "roll-back", { nowMs: play.nowMs, reason: "no" });
  play.step();
  t.match(play.phase, { state: "ROLLBACK_FAILED", reason: "no; 1 nodes were not taken back" });
});

t.test("failures after a wave has passed still count", async (t) => {
  const waves = [{ name: "first", size: 2 }, { name: "wide" }];
  const play = new FakeRollout(definitionOf({ waves }), nodesOf(6));
  play.step();
  const [canary = ""] = play.inProgress();
  play.sayAll("SUCCEEDED");
  play.step();
  t.match(play.phase, { state: "RUNNING", wave: 1 });
  play.say(canary, "ROLLED_BACK");
  play.step();
  t.match(play.phase, { state: "PAUSED", reason: /wave first: 1 of 2 failed/ });
});

t.test("what is said of another update says nothing", async (t) => {
  const play = new FakeRollout(definitionOf(), [
    nodeOf("n", { update: { updateId: "web-6.to1.0", state: "SUCCEEDED" } }),
    nodeOf("other"),
  ]);
  play.step();
  t.equal(play.in("ASSIGNED").length, 2, "the results of the release before");
  play.change("n", { update: play.nodes.get("other")?.update ?? null });
  play.change("n", {
    update: { updateId: play.nodes.get("other")?.progress?.updateId ?? "", state: "FAILED" },
  });
  play.step();
  t.equal(play.in("ASSIGNED").length, 2, "the name of another node's update");
});

t.test("nodes that are not connected come later, and do not hold up a wave", async (t) => {
  const waves = [{ name: "half", size: "50%" }, { name: "wide" }];
  const away = nodesOf(4).map(({ node }) => nodeOf(`away-${node}`, { online: false }));
  const play = new FakeRollout(definitionOf({ waves }), [...nodesOf(3), ...away]);
  play.step();
  t.equal(play.inProgress().length, 3, "whoever is there");
  play.sayAll("SUCCEEDED");
  play.step();
  t.match(play.phase, { state: "RUNNING", wave: 0 }, "the wave would take one more");
  play.step(10 * minuteMs);
  t.match(play.phase, { state: "RUNNING", wave: 1 });
  play.step(10 * minuteMs);
  t.match(play.phase, { state: "CONVERGING" });
  play.change("away-n2", { online: true });
  play.step();
  t.strictSame(play.inProgress(), ["away-n2"]);
  play.sayAll("SUCCEEDED");
  play.step(7 * 24 * hourMs);
  t.match(play.phase, { state: "SUCCEEDED", reason: "4 nodes have the release" });
});

t.test("a first wave that nobody is there for waits", async (t) => {
  const play = new FakeRollout(definitionOf(), nodesOf(3, { online: false }));
  play.step(hourMs);
  t.match(play.phase, { state: "RUNNING", wave: 0 });
  play.step(8 * 24 * hourMs);
  t.match(play.phase, { state: "TIMED_OUT", reason: "the deadline was over in RUNNING" });
});

t.test("a label's wave that nobody is there for waits, whatever was proved before", async (t) => {
  const waves = [{ name: "one", size: 1 }, { name: "lab", select: "site=lab" }, { name: "wide" }];
  const lab = nodeOf("lab", { labels: { site: "lab" }, online: false });
  const play = new FakeRollout(definitionOf({ waves }), [...nodesOf(3), lab]);
  play.step();
  play.sayAll("SUCCEEDED");
  play.step();
  play.step(hourMs);
  t.match(play.phase, { state: "RUNNING", wave: 1 });
  play.change("lab", { online: true });
  play.step();
  t.strictSame(play.inProgress(), ["lab"]);
});

t.test("late joiners take part, unless the definition leaves them out", async (t) => {
  for (const lateJoiners of [true, false]) {
    const play = new FakeRollout(definitionOf({ lateJoiners }), nodesOf(2));
    play.step();
    play.nodes.set("late", nodeOf("late", { joinedMs: play.nowMs }));
    play.step();
    t.equal(play.inProgress().includes("late"), lateJoiners);
  }
});

t.test("nodes of a group go one after the other, and no further once one failed", async (t) => {
  const labels = { cluster: "db" };
  const waves = [{ name: "wide", failures: "100%", success: 0 }];
  const play = new FakeRollout(
    definitionOf({ waves, oneAtATime: ["cluster"] }),
    nodesOf(3, { labels }),
  );
  play.step();
  t.equal(play.inProgress().length, 1);
  play.sayAll("SUCCEEDED");
  play.step();
  t.equal(play.inProgress().length, 1);
  play.sayAll("ROLLED_BACK");
  play.step();
  t.equal(play.inProgress().length, 0);
  t.equal(play.last?.tally.waiting.held, 1);
  t.match(play.phase, { state: "SUCCEEDED" });
});

t.test("budgets count what is missing or busy already", async (t) => {
  const labels = { site: "berlin" };
  const budget = { by: "site", max: "40%" };
  const nodes = [...nodesOf(4, { labels }), nodeOf("away", { labels, online: false })];
  const started = (countOffline: boolean, all: typeof nodes) => {
    const play = new FakeRollout(definitionOf({ budgets: [{ ...budget, countOffline }] }), all);
    play.step();
    return play.inProgress().length;
  };
  t.equal(started(false, nodes), 2);
  t.equal(started(true, nodes), 1);
  t.equal(started(false, [...nodes, nodeOf("busy", { labels, busy: true })]), 1);
});

t.test("a node that lets its time go by is tried again, and after that it counts", async (t) => {
  const play = new FakeRollout(definitionOf({ timeout: "1h" }), nodesOf(1));
  for (const attempt of [1, 2, 3]) {
    play.step();
    t.match(play.nodes.get("n0")?.progress, { state: "ASSIGNED", attempt });
    const [decision] = play.step(hourMs);
    t.match(decision, {
      kind: "withdraw",
      progress: { state: attempt < 3 ? "UNREACHED" : "TIMED_OUT" },
    });
  }
  t.match(play.phase, { state: "PAUSED" });
  const begun = new FakeRollout(definitionOf({ timeout: "1h" }), nodesOf(1));
  begun.step();
  begun.sayAll("INSTALLING");
  begun.step();
  begun.step(hourMs);
  t.match(
    begun.nodes.get("n0")?.progress,
    { state: "TIMED_OUT", attempt: 1 },
    "in the middle of it",
  );
  begun.change("n0", {
    update: { updateId: begun.nodes.get("n0")?.progress?.updateId ?? "", state: "SUCCEEDED" },
  });
  begun.step();
  t.match(begun.nodes.get("n0")?.progress, { state: "SUCCEEDED" }, "it came back after all");
});

t.test("waiting at the node for a person or a time is no time of its own", async (t) => {
  const play = new FakeRollout(definitionOf({ timeout: "1h" }), nodesOf(1));
  play.step();
  play.sayAll("SCHEDULED");
  play.step();
  play.step(24 * hourMs);
  t.strictSame(play.in("SCHEDULED"), ["n0"]);
  play.sayAll("DOWNLOADING");
  play.step();
  play.step(59 * minuteMs);
  t.strictSame(play.in("DOWNLOADING"), ["n0"]);
  t.match(play.step(minuteMs), [
    { kind: "withdraw", progress: { state: "UNREACHED", attempt: 1 } },
    { kind: "assign", progress: { state: "ASSIGNED", attempt: 2 } },
  ]);
});

t.test("nodes are started in their windows only, each in its own time zone", async (t) => {
  const windows = [{ from: "18:00", to: "20:00" }];
  const play = new FakeRollout(definitionOf({ windows }), [
    nodeOf("utc"),
    nodeOf("tokyo", { timezone: "Asia/Tokyo" }),
  ]);
  play.step(hourMs);
  t.strictSame(play.inProgress(), ["tokyo"], "09:00 UTC is 18:00 there");
  t.equal(play.last?.wakeMs, play.nowMs + minuteMs);
  play.step(9 * hourMs);
  t.strictSame([...play.inProgress()].sort(), ["utc"], "the other one was not reached meanwhile");
});

t.test("approval is asked for before each wave that wants it", async (t) => {
  const waves = [
    { name: "first", size: 1, approval: true },
    { name: "wide", approval: true },
  ];
  const play = new FakeRollout(definitionOf({ waves }), nodesOf(3));
  play.step(hourMs);
  t.match(play.phase, { state: "AWAITING_APPROVAL", wave: 0 });
  t.equal(play.inProgress().length, 0);
  const yes = () => {
    play.rollout = command(play.rollout, "approve", { nowMs: play.nowMs, reason: "" });
  };
  yes();
  play.step();
  play.sayAll("SUCCEEDED");
  play.step();
  t.match(play.phase, { state: "AWAITING_APPROVAL", wave: 1 });
  play.rollout = command(play.rollout, "pause", { nowMs: play.nowMs, reason: "lunch" });
  play.rollout = command(play.rollout, "resume", { nowMs: play.nowMs, reason: "back" });
  t.match(play.phase, { state: "AWAITING_APPROVAL", wave: 1 }, "a pause is no way around it");
  yes();
  play.step();
  t.equal(play.inProgress().length, 2);
});

t.test("after an abort whoever has not begun is let go, and nothing is started", async (t) => {
  const play = new FakeRollout(definitionOf({ maxInProgress: 2 }), nodesOf(5));
  play.step();
  const [begun = "", waits = ""] = play.inProgress();
  play.say(begun, "INSTALLING");
  play.step();
  play.rollout = command(play.rollout, "abort", { nowMs: play.nowMs, reason: "stop" });
  const decisions = play.step();
  t.strictSame(
    decisions.map((each) => ("node" in each ? [each.kind, each.node] : [])),
    [["withdraw", waits]],
  );
  play.say(begun, "SUCCEEDED");
  t.match(play.step(), [{ kind: "note", node: begun, progress: { state: "SUCCEEDED" } }]);
  t.strictSame(play.step(), []);
  t.throws(() => command(play.rollout, "resume", { nowMs: play.nowMs, reason: "" }), {
    code: "rollout/refused",
    message: "resume web-7: it is ABORTED; it has ended",
  });
});

t.test("a model that fails again and again is held while the others go on", async (t) => {
  const nodes = [
    ...Array.from({ length: 10 }, (_, at) => nodeOf(`a${at}`, { hardware: "acme/a" })),
    ...Array.from({ length: 40 }, (_, at) => nodeOf(`b${at}`, { hardware: "acme/b" })),
  ];
  const play = new FakeRollout(
    definitionOf({
      waves: [{ name: "wide", failures: "10%", success: "80%" }],
      holdModel: { failures: "20%", atLeast: 2 },
      maxInProgress: 5,
    }),
    nodes,
  );
  for (let round = 0; round < 30; round++) {
    play.step();
    for (const name of play.inProgress())
      play.say(name, name.startsWith("a") ? "ROLLED_BACK" : "SUCCEEDED");
  }
  t.strictSame(play.rollout.heldModels, ["acme/a"]);
  t.match(play.phase, { state: "SUCCEEDED", reason: "40 nodes have the release" });
  t.ok(play.in("ROLLED_BACK").length <= 5, "no more of it than were in progress together");
  t.equal(play.events.filter(({ event }) => event === "model.held").length, 1, "said once");
});

t.test("a cordoned node is left out, and one that has the release needs none", async (t) => {
  const play = new FakeRollout(definitionOf(), [
    nodeOf("cordoned", { cordoned: true }),
    nodeOf("has", { release: { name: "web", number: 7 } }),
    nodeOf("other"),
  ]);
  play.step();
  t.strictSame(play.inProgress(), ["other"]);
  t.match(play.last?.tally, { already: 1, waiting: { cordoned: 1 } });
});

t.test("the same decisions come again when those of before were lost", async (t) => {
  const play = new FakeRollout(definitionOf(), nodesOf(5));
  const { rollout } = play;
  const nodes = [...play.nodes.values()];
  play.step();
  t.strictSame(reconcile(rollout, nodes.reverse(), play.nowMs).decisions, play.last?.decisions);
});
