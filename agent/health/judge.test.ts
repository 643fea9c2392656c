import t from "tap";
import { type FakeProgram, fakeIo } from "#core/fake-io.ts";
import type { Health } from "#generated/provisioner/spec/v1.ts";
import type { Trial } from "#provisioner/system/system.ts";
import { conclusionOf } from "./conclude.ts";
import { judge, readBaseline } from "./judge.ts";
import type { Probe } from "./probe.ts";

const trial = {
  transaction: "t",
  toplevel: "/nix/store/new",
  bootId: "b",
  activation: "switched",
  message: null,
} as Trial;
const check = { type: "file", path: "/ready" } as const;

/** A probe that answers from a list, the last answer for ever. */
function scripted(answers: readonly boolean[]): {
  readonly probe: Probe;
  readonly asked: () => number;
} {
  let asked = 0;
  return {
    asked: () => asked,
    probe: async () => {
      const passed = answers[Math.min(asked, answers.length - 1)] ?? false;
      asked += 1;
      return { passed, message: "file /ready: must exist" };
    },
  };
}

async function run(
  t: { testdir(): string },
  health: Health | undefined,
  answers: readonly boolean[],
) {
  const io = fakeIo(t.testdir());
  const { probe, asked } = scripted(answers);
  const verdict = await judge(health, trial, {
    io,
    probe,
    baseline: { failedUnits: null, restarted: null, kept: [] },
  });
  return { verdict, asked: asked() };
}

t.test("every check must pass some times in a row", async (t) => {
  const health = { passes: 3, interval: "1s", timeout: "60s", checks: [check] } as Health;
  t.match(await run(t, health, [true]), {
    asked: 3,
    verdict: { healthy: true, passes: 3, ms: 2000 },
  });
  t.match(await run(t, health, [true, true, false, true]), {
    asked: 6,
    verdict: { healthy: true },
  });
});

t.test("a clock that is set in the middle changes nothing of soak and deadline", async (t) => {
  const health: Health = {
    ...{ passes: 2, interval: "10s", soak: "60s", timeout: "120s", checks: [check] },
  };
  for (const jumpMs of [86_400_000, -Date.UTC(2026, 0, 1), 3_600_000, -3_600_000]) {
    for (const passed of [true, false]) {
      const io = fakeIo(t.testdir());
      let asked = 0;
      const probe: Probe = async () => {
        asked += 1;
        if (asked === 3) io.clock.jump(jumpMs);
        return { passed, message: "file /ready: must exist" };
      };
      const baseline = { failedUnits: null, restarted: null, kept: [] };
      const verdict = await judge(health, trial, { io, probe, baseline });
      const expected = passed ? { healthy: true, ms: 60_000 } : { healthy: false, ms: 120_000 };
      t.match(verdict, expected, `${jumpMs} ms`);
    }
  }
});

t.test("when the time is over the verdict names what did not pass", async (t) => {
  const health = { passes: 2, interval: "1s", timeout: "5s", checks: [check] } as Health;
  const { verdict, asked } = await run(t, health, [false]);
  t.match(verdict, { healthy: false, passes: 0, reasons: ["file /ready: must exist"], ms: 5000 });
  t.equal(asked, 6);
});

t.test("a last round with little time left hides nothing that the one before saw", async (t) => {
  const other = { type: "file", path: "/other" } as const;
  const health: Health = { passes: 2, interval: "1s", timeout: "2s", checks: [check, other] };
  let asked = 0;
  const probe: Probe = async (one) => {
    asked += 1;
    const isLast = asked > 4;
    return { passed: (one === other) !== isLast, message: isLast ? "no answer" : "must exist" };
  };
  const baseline = { failedUnits: null, restarted: null, kept: [] };
  const verdict = await judge(health, trial, { io: fakeIo(t.testdir()), probe, baseline });
  t.equal(asked, 6);
  t.match(verdict, { healthy: false, reasons: ["must exist", "no answer"] });
  t.strictSame(verdict.failed, ["file /ready"], "and blames nobody for itself");
});

t.test("nor does a check that the end of the time cut off blame anybody", async (t) => {
  const other = { type: "file", path: "/other" } as const;
  const health: Health = { passes: 2, interval: "1s", timeout: "2s", checks: [check, other] };
  const io = fakeIo(t.testdir());
  let asked = 0;
  const probe: Probe = async (one, _signal, limitMs = 0) => {
    asked += 1;
    if (one === other && asked > 2) await io.clock.sleep(limitMs);
    return { passed: one === other && asked <= 2, message: "no answer" };
  };
  const baseline = { failedUnits: null, restarted: null, kept: [] };
  const verdict = await judge(health, trial, { io, probe, baseline });
  t.equal(asked, 4, "the last round had a whole interval left");
  t.match(verdict, { healthy: false, ms: 2000 });
  t.strictSame(verdict.failed, ["file /ready"]);
});

t.test(
  "what failed is named without what may be secret, and told apart all the same",
  async (t) => {
    const http = (query: string) =>
      ({ type: "http", url: `http://u:SECRET@h/?token=${query}` }) as const;
    const command = ["curl", "-H", "Authorization: SECRET", "x"];
    const checks: Health["checks"] = [
      http("SECRET"),
      { type: "command", command },
      http("SECRET2"),
    ];
    const health: Health = { passes: 1, interval: "1s", timeout: "1s", checks };
    const baseline = { failedUnits: null, restarted: null, kept: [] };
    const options = { io: fakeIo(t.testdir()), baseline };
    const probe: Probe = async () => ({ passed: false, message: "no" });
    const verdict = await judge(health, trial, { ...options, probe });
    t.strictSame(verdict.failed, ["http http://h/", "command curl", "http http://h/ (2)"]);
    const heals: Probe = async (one) => ({ passed: one === checks[2], message: "no" });
    const judging = { judging: { health, baseline }, verdict };
    t.match(await conclusionOf(judging, { ...options, probe }), { conclusive: false });
    t.match(await conclusionOf(judging, { ...options, probe: heals }), { conclusive: true });
  },
);

t.test("a check that comes and goes is not healthy, and the verdict says so", async (t) => {
  const health = { passes: 3, interval: "1s", timeout: "4s", checks: [check] } as Health;
  const flapping = await run(t, health, [true, false, true, false, true]);
  t.match(flapping.verdict, {
    healthy: false,
    reasons: ["only 1 of 3 rounds passed within 4000 ms"],
  });
});

t.test("an activation that was refused is not watched", async (t) => {
  const io = fakeIo(t.testdir());
  const { probe, asked } = scripted([true]);
  const refused = { ...trial, activation: "refused", message: "lock held" } as Trial;
  const verdict = await judge(undefined, refused, {
    io,
    probe,
    baseline: { failedUnits: null, restarted: null, kept: [] },
  });
  t.match(verdict, { healthy: false, reasons: ["lock held"] });
  t.equal(asked(), 0);
});

t.test("without checks of its own a system still has to stand for a while", async (t) => {
  t.match(await run(t, undefined, []), { verdict: { healthy: true, passes: 3, ms: 10_000 } });
});

const listing =
  (units: readonly string[]): FakeProgram =>
  () => ({ stdout: units.map((unit) => `${unit} loaded failed failed x\n`).join("") });

t.test(
  "a unit that fails only since the trial counts; one that had failed before does not",
  async (t) => {
    const root = t.testdir({ run: { systemd: { system: {} } } });
    const health = { passes: 1, interval: "1s", timeout: "1s" } as Health;
    const before = fakeIo(root, { systemctl: listing(["old.service"]) });
    const probe: Probe = async ({ type }) => ({ passed: type !== "link", message: "" });
    const baseline = await readBaseline(undefined, { io: before, probe });
    t.strictSame(baseline, {
      failedUnits: ["old.service"],
      restarted: [],
      kept: [{ type: "route" }],
    });
    const same = await judge(health, trial, { io: before, probe, baseline });
    t.equal(same.healthy, true);
    const after = fakeIo(root, { systemctl: listing(["old.service", "new.service"]) });
    t.match(await judge(health, trial, { io: after, probe, baseline }), {
      healthy: false,
      reasons: ["unit new.service: failed"],
    });
    const any = { ...health, failedUnits: "any" } as Health;
    t.equal((await judge(any, trial, { io: before, probe, baseline })).healthy, false);
    const ignore = { ...health, failedUnits: "ignore" } as Health;
    t.equal((await judge(ignore, trial, { io: after, probe, baseline })).healthy, true);
  },
);

t.test("the agent counts, what tries and judges the change does not", async (t) => {
  const root = t.testdir({ run: { systemd: { system: {} } } });
  const health: Health = { passes: 1, interval: "1s", timeout: "1s", failedUnits: "any" };
  const probe: Probe = async () => ({ passed: true, message: "" });
  const baseline = { failedUnits: [], restarted: [], kept: [] };
  const ofChange = [
    "firstlight-boot.service",
    "firstlight-boot-complete.service",
    "firstlight-command-runcmd.service",
    "firstlight-hook-save-20260101T000000-01234567.service",
    ...["back", "boot", "switch", "way-back"].map(
      (purpose) => `firstlight-${purpose}-20260101T000000-01234567.service`,
    ),
  ];
  const judged = (units: readonly string[]) =>
    judge(health, trial, { io: fakeIo(root, { systemctl: listing(units) }), probe, baseline });
  t.match(await judged(ofChange), { healthy: true });
  for (const unit of ["agent", "system", "bootstrap", "drift", "maintenance"]) {
    const name = `firstlight-${unit}.service`;
    t.match(await judged([name]), { healthy: false, reasons: [`unit ${name}: failed`] });
  }
});

t.test("a systemd that does not say which units failed is not healthy", async (t) => {
  const root = t.testdir({ run: { systemd: { system: {} } } });
  const io = fakeIo(root, { systemctl: () => ({ code: 1 }) });
  const probe: Probe = async () => ({ passed: true, message: "" });
  const health = { passes: 1, interval: "1s", timeout: "1s" } as Health;
  const baseline = await readBaseline(health, { io, probe });
  t.match(await judge(health, trial, { io, probe, baseline }), {
    healthy: false,
    reasons: ["failed units: systemctl list-units ended with 1"],
  });
});

t.test("what worked before must go on working, and only that", async (t) => {
  const io = fakeIo(t.testdir());
  const health = { passes: 1, interval: "1s", timeout: "1s", keep: ["link", "time"] } as Health;
  let up = ["link", "file"];
  const probe: Probe = async ({ type }) => ({ passed: up.includes(type), message: `${type}: no` });
  const baseline = await readBaseline(health, { io, probe });
  t.strictSame(baseline.kept, [{ type: "link" }], "the clock was not synchronised before");
  t.equal((await judge(health, trial, { io, probe, baseline })).healthy, true);
  up = ["file"];
  t.match(await judge(health, trial, { io, probe, baseline }), {
    healthy: false,
    reasons: ["link: no"],
  });
});

t.test("the soak is as long as it says, without a break", async (t) => {
  const health = { passes: 2, interval: "1s", soak: "10s", timeout: "60s", checks: [check] };
  t.match(await run(t, health as Health, [true]), { asked: 11, verdict: { passes: 11 } });
  const broken = await run(t, health as Health, [true, true, true, false, true]);
  t.match(broken, { asked: 15, verdict: { healthy: true, ms: 14_000 } });
  const short = { ...health, timeout: "5s" } as Health;
  t.match((await run(t, short, [true])).verdict, {
    healthy: false,
    reasons: ["every round passed, but not for 10000 ms within 5000 ms"],
  });
});

t.test("the verdict says which change, system and boot it is about", async (t) => {
  const { verdict } = await run(t, { passes: 1 } as Health, [true]);
  t.strictSame(verdict.subject, {
    transaction: "t",
    toplevel: "/nix/store/new",
    bootId: "b",
  });
});

t.test("an abort ends the watch", async (t) => {
  const io = fakeIo(t.testdir());
  const abort = new AbortController();
  const probe: Probe = async () => {
    abort.abort(new Error("stop"));
    return { passed: false, message: "" };
  };
  const health = { checks: [check], interval: "1s", timeout: "1h" } as Health;
  await t.rejects(
    judge(health, trial, {
      io,
      probe,
      baseline: { failedUnits: null, restarted: null, kept: [] },
      signal: abort.signal,
    }),
  );
});

t.test("no look gets more than what is left of the judgement, whatever it is", async (t) => {
  const root = t.testdir({ run: { systemd: { system: {} } } });
  const io = fakeIo(root, { systemctl: () => ({}) });
  const given: (number | undefined)[] = [];
  const probe: Probe = async (_check, _signal, limitMs) => {
    given.push(limitMs);
    io.clock.advance(1_000);
    return { passed: false, message: "no" };
  };
  const checks = [{ type: "tcp", host: "192.0.2.1", port: 1 }, { type: "link" }] as const;
  const health = { passes: 1, interval: "4s", timeout: "10s", checks } as unknown as Health;
  await judge(health, trial, {
    ...{ io, probe },
    baseline: { failedUnits: null, restarted: null, kept: [] },
  });
  t.strictSame(given, [10_000, 10_000, 4_000, 4_000]);
  t.strictSame(
    io.executed.map(({ timeoutMs }) => timeoutMs),
    [10_000, 10_000, 4_000, 4_000],
  );
});

t.test(
  "an activation in which something failed is told of, and judged by what is left",
  async (t) => {
    const message = "activated, but a unit failed (exit code 4): bad.service";
    const degraded = { ...trial, activation: "degraded", message } as Trial;
    const root = t.testdir({ run: { systemd: { system: {} } } });
    const probe: Probe = async () => ({ passed: true, message: "" });
    const health = { passes: 1, interval: "1s", timeout: "1s" } as Health;
    const judged = (units: readonly string[]) =>
      judge(health, degraded, {
        ...{ io: fakeIo(root, { systemctl: listing(units) }), probe },
        baseline: { failedUnits: [], restarted: [], kept: [] },
      });
    t.match(await judged([]), {
      healthy: true,
      reasons: ["every check passed", message],
    });
    t.match(await judged(["bad.service"]), {
      healthy: false,
      reasons: ["unit bad.service: failed"],
    });
  },
);
