import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { Fault } from "#core/fault.ts";
import type { Base } from "#provisioner/render/base.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import type {
  ChangeReason,
  Plan,
  Recovery,
  RolledBack,
  Trial,
  Verdict,
} from "#provisioner/system/system.ts";
import { boot, clean, type FullDeps, notRunning, prepare } from "./fake-boot.ts";
import { exitCodeOf } from "./outcome.ts";
import { readPinnedInstance } from "./pinned-instance.ts";
import { fallBackTo, rollBackTo } from "./roll-back.ts";
import { readResult } from "./status.ts";

const trial = {
  ...{
    transaction: "t0",
    sourcesDigest: "s0",
    toplevel: "/nix/store/new",
    bootId: "b",
    planDigest: "p",
  },
  ...{ activation: "switched", message: null },
} as Trial;
const reason: ChangeReason = { by: "boot", why: "a test", instanceId: "i-1" };
const check = { type: "file", path: "/ready" };
const judging = {
  health: { passes: 1, interval: "1s", timeout: "5s", checks: [check] },
  baseline: { failedUnits: null, restarted: null, kept: [] },
};
const waits: Trial = {
  ...trial,
  ...{ activation: "waits-for-restart", message: "it takes a restart: kernel is not the one" },
};
const open = (one: Trial = trial, by: ChangeReason["by"] = "boot"): Recovery => ({
  ...clean,
  state: "trial",
  trial: { trial: one, judging, reason: { ...reason, by } },
});
const back: RolledBack = {
  ...{ toplevel: "/nix/store/old", generation: 7, sourcesDigest: null, reasons: [] },
  restart: false,
};
const sick: Verdict = {
  ...{ healthy: false, reasons: ["file /ready: must exist"], passes: 0, ms: 1 },
  failed: ["file /ready"],
};
const failing = async () => ({ passed: false, message: "file /ready: must exist" });
const restarting: Partial<SystemClient> = {
  runs: async () => ({ ...notRunning, restart: true, toplevel: "/nix/store/old" }),
};

t.test("a trial that takes a restart ends the boot, and says so", async (t) => {
  const { deps, asked, io } = prepare(t, {}, { ...restarting, try: async () => waits });
  const outcome = await boot(deps);
  t.match(outcome, {
    outcome: "rebooting",
    message: "it takes a restart: kernel is not the one",
    restart: true,
    toplevel: "/nix/store/old",
  });
  t.equal(exitCodeOf(outcome), 75);
  t.strictSame(asked, ["recover", "runs", "build", "plan", "try"]);
  t.equal(readPinnedInstance(io.files), undefined, "nothing is decided yet");
});

t.test("one that still waits is asked for again, with nothing built", async (t) => {
  const { deps, asked } = prepare(t, {}, { ...restarting, recover: async () => open(waits) });
  t.match(await boot(deps), { outcome: "rebooting", restart: true });
  t.strictSame(asked, ["recover"]);
});

t.test(
  "one that was booted is judged by what it was tried with, committed and followed",
  async (t) => {
    let committed = false;
    const looked: unknown[] = [];
    const recorded: unknown[] = [];
    const { deps, asked, io, events } = prepare(
      t,
      {
        recordBase: (digest) => recorded.push([digest, committed]),
        probe: async (one) => {
          looked.push(one);
          return { passed: true, message: "" };
        },
      },
      {
        recover: async () => open(),
        commit: async () => {
          committed = true;
          return {
            generation: 4,
            toplevel: "/nix/store/new",
            sourcesDigest: "s",
            incomplete: null,
          };
        },
        runs: async () => ({ ...notRunning, runs: committed, generation: 4, bootProved: true }),
      },
    );
    t.match(await boot(deps), {
      ...{ outcome: "committed", generation: 4, bootProved: true, restart: false, degraded: false },
      verdict: { healthy: true },
    });
    t.match(looked, [check]);
    t.strictSame(recorded, [[trial.sourcesDigest, false]], "its base, before the commit");
    t.strictSame(asked, ["recover", "commit", "runs"]);
    t.equal(readPinnedInstance(io.files)?.instanceId, "i-1", "the pin follows");
    t.match(events[0], { kind: "boot.started", body: { recovered: "trial" } });
  },
);

t.test("a datasource that cannot be read after it takes nothing of the commit away", async (t) => {
  const { deps, asked } = prepare(
    t,
    { discover: () => Promise.reject(new Fault("datasource/malformed", "no medium")) },
    { recover: async () => open() },
  );
  const outcome = await boot(deps);
  t.match(outcome, { outcome: "committed", degraded: true, message: /is not known: no medium/ });
  t.equal(exitCodeOf(outcome), 2);
  t.strictSame(asked, ["recover", "commit"]);
});

t.test("what was asked for since a trial began is done after its commit", async (t) => {
  const { deps, asked } = prepare(t, {}, { recover: async () => open() });
  t.match(await boot(deps), { outcome: "committed", generation: 1 });
  t.strictSame(asked, ["recover", "commit", "runs", "build", "plan", "try", "commit"]);
});

t.test("a way back that a person asked for is not undone by the same boot", async (t) => {
  const { deps, asked } = prepare(t, {}, { recover: async () => open(trial, "rollback") });
  t.match(await boot(deps), { outcome: "committed" });
  t.strictSame(asked, ["recover", "commit"]);
});

/** Of the sources that a boot makes of what the datasource says. */
async function renderedDigest(t: { testdir(): string }): Promise<string> {
  let digest = "";
  const proposeBase = (_: Base, sources: string) => {
    digest = sources;
  };
  await boot(prepare(t, { proposeBase }).deps);
  return digest;
}

t.test("after a trial that is back only now, what is asked for since is tried", async (t) => {
  const sick = { healthy: false, passes: 0, reasons: ["x"], ms: 1 };
  const takenBack = (sourcesDigest: string | null, by: "boot" | "rollback" = "boot"): Recovery => ({
    ...clean,
    ...{ state: "rolled-back", transaction: "t0" },
    back: {
      ...{ transaction: "t0", toplevel: "/nix/store/sick", sourcesDigest, judging: {} },
      ...{ reason: { by, why: "w", instanceId: "i-1" }, verdict: sick },
      rolledBack: {
        ...{ generation: 3, toplevel: "/nix/store/old", sourcesDigest: null },
        ...{ reasons: ["x"], restart: false },
      },
    },
  });
  const started = (recovery: Recovery, change: Partial<FullDeps> = {}) =>
    prepare(t, change, { recover: async () => recovery });
  const other = started(takenBack("other"));
  t.match(await boot(other.deps), { outcome: "committed", generation: 1 });
  t.strictSame(other.asked, ["recover", "runs", "build", "plan", "try", "commit"]);

  const same = started(takenBack(await renderedDigest(t)));
  t.match(await boot(same.deps), {
    outcome: "rolled-back",
    message: "not healthy: x",
  });
  t.notOk(same.asked.includes("build"));

  const unread = { discover: () => Promise.reject(new Fault("datasource/malformed", "no medium")) };
  const { answers, releases } = trying({ recover: async () => takenBack("other") });
  const untold = prepare(t, unread, answers);
  t.match(await boot(untold.deps), {
    ...{ outcome: "rolled-back", message: /now: no medium/, triedAgainAt: later },
  });
  t.strictSame(releases, [null], "not for as long as the one that was taken back is held back");
  const held = trying({ recover: async () => takenBack("other") });
  const refused = { discover: () => Promise.reject(new Fault("policy/held", "a person decides")) };
  const byPolicy = prepare(t, refused, held.answers);
  t.match(await boot(byPolicy.deps), { outcome: "rolled-back", triedAgainAt: null });
  const byPerson = started(takenBack("other", "rollback"));
  t.match(await boot(byPerson.deps), { outcome: "rolled-back", message: "not healthy: x" });
  t.strictSame(byPerson.asked, ["recover"]);
});

t.test("one that is not healthy after its boot goes back by a restart", async (t) => {
  const { deps, asked } = prepare(
    t,
    { probe: failing },
    {
      ...restarting,
      recover: async () => open(),
      rollBack: async () => ({ ...back, restart: true }),
    },
  );
  t.match(await boot(deps), {
    outcome: "rebooting",
    restart: true,
    message:
      "not healthy: file /ready: must exist; the machine is restarted into the system from before",
    verdict: { healthy: false, failed: sick.failed },
  });
  t.strictSame(asked, ["recover", "rollBack"], "nobody concludes before it is back");
});

t.test("once it is back that is told, and the same is not tried at once", async (t) => {
  const said: unknown[] = [];
  const sourcesDigest = await renderedDigest(t);
  const { deps, asked } = prepare(
    t,
    {},
    {
      recover: async () => ({
        ...clean,
        state: "rolled-back",
        back: {
          ...{ transaction: "t0", toplevel: "/nix/store/new", sourcesDigest, judging, reason },
          ...{ verdict: sick, rolledBack: back },
        },
      }),
      conclude: async (conclusion) => {
        said.push(conclusion);
        return null;
      },
    },
  );
  t.match(await boot(deps), {
    ...{ outcome: "rolled-back", message: "not healthy: file /ready: must exist", generation: 7 },
    verdict: sick,
  });
  t.strictSame(asked, ["recover", "conclude", "runs", "retry"]);
  t.strictSame(said, [{ transaction: "t0", conclusive: true, reasons: [] }]);
});

t.test("a way back that still takes a restart is asked for again", async (t) => {
  const recover = async (): Promise<Recovery> => ({ ...clean, state: "restart", details: ["why"] });
  const { deps, asked } = prepare(t, {}, { ...restarting, recover });
  t.match(await boot(deps), { outcome: "rebooting", restart: true, message: "why" });
  t.strictSame(asked, ["recover"]);
  const { io, log, system, probe, report, version } = deps;
  t.match(await rollBackTo({ io, log, system, probe, report, version }, null), {
    outcome: "rebooting",
    restart: true,
  });
  t.notOk(asked.includes("try"));
});

const planGeneration = async () => ({ plan: { digest: "d" } as Plan, judging });

t.test(
  "who goes back is judged by the checks of the generation that is gone back to",
  async (t) => {
    const tried: unknown[] = [];
    const { deps } = prepare(
      t,
      { probe: failing },
      {
        planGeneration,
        try: async (_plan, options) => {
          tried.push(options?.judging);
          return trial;
        },
      },
    );
    const outcome = await rollBackTo(deps, 3);
    t.match(outcome, { outcome: "rolled-back", message: /^not healthy: file \/ready: must exist/ });
    t.match(tried, [{ health: judging.health }]);
  },
);

t.test("what fails on the system from before as well says nothing about the release", async (t) => {
  const said: unknown[] = [];
  const conclude: SystemClient["conclude"] = async (conclusion) => {
    said.push(conclusion);
    return null;
  };
  const { deps, io } = prepare(t, { probe: failing }, { conclude });
  t.match(await boot(deps), {
    outcome: "rolled-back",
    message:
      "not healthy: file /ready: must exist; file /ready: must exist without it too, so the release is not held back",
  });
  t.match(said, [{ conclusive: false, reasons: [/without it too/] }]);
  t.ok(io.clock.monotonicMs() < 60_000, "it looked as long as the checks may take, and no longer");
});

t.test("a check that needs a moment to pass again convicts the release", async (t) => {
  const said: unknown[] = [];
  let asked = 0;
  const { deps } = prepare(
    t,
    {
      probe: async () => {
        asked += 1;
        return { passed: asked > 8, message: "slow" };
      },
    },
    {
      recover: async () => open(),
      conclude: async (conclusion) => {
        said.push(conclusion);
        return null;
      },
    },
  );
  t.match(await boot(deps), { outcome: "rolled-back", message: "not healthy: slow" });
  t.match(said, [{ conclusive: true }]);
});

t.test("who cannot judge blames nobody", async (t) => {
  const verdicts: Verdict[] = [];
  const { deps } = prepare(
    t,
    { probe: () => Promise.reject(new Error("no such probe")) },
    {
      rollBack: async (_, verdict) => {
        verdicts.push(verdict);
        return back;
      },
    },
  );
  t.match(await boot(deps), { outcome: "rolled-back" });
  t.match(verdicts, [{ conclusive: false, reasons: [/cannot be judged: no such probe/] }]);
});

/** When what was taken or is held back is tried again. */
const later = "2026-01-02T00:01:00.000Z";

/** A system that starts the boot again then, and remembers for which release. */
function trying(answers: Partial<SystemClient>) {
  const releases: (string | null)[] = [];
  const retry: SystemClient["retry"] = async (wanted) => {
    releases.push(wanted === null ? null : wanted.sourcesDigest);
    return { at: wanted === null ? null : later };
  };
  return { releases, answers: { ...answers, retry } };
}

t.test("a release that is held back is told as held, and tried again without a boot", async (t) => {
  const wanted = await renderedDigest(t);
  for (const code of ["system/release-denied", "system/release-looping"] as const) {
    const build = () => Promise.reject(new Fault(code, "not again"));
    const { answers, releases } = trying({ build });
    const { deps, io } = prepare(t, {}, answers);
    const outcome = await boot(deps);
    t.match(outcome, { outcome: "held", fault: { code }, triedAgainAt: later });
    t.equal(exitCodeOf(outcome), 77);
    t.match(readResult(io.files), { triedAgainAt: later });
    t.strictSame(releases, [wanted]);
  }
});

t.test("what was taken back is tried again, whoever is to blame", async (t) => {
  const wanted = await renderedDigest(t);
  const locked = { ...trial, activation: "refused", exitCode: 11, message: "lock held" } as Trial;
  const ends: Readonly<Record<string, Partial<FullDeps> & Partial<SystemClient>>> = {
    "not healthy": { probe: failing },
    "another switch was under way": { try: async () => locked },
  };
  for (const [why, { probe, ...more }] of Object.entries(ends)) {
    const { answers, releases } = trying(more as Partial<SystemClient>);
    const { deps } = prepare(t, probe === undefined ? {} : { probe }, answers);
    t.match(await boot(deps), { outcome: "rolled-back", triedAgainAt: later }, why);
    t.strictSame(releases, [wanted]);
  }
  const resumed = trying({ recover: async () => open() });
  t.match(await boot(prepare(t, { probe: failing }, resumed.answers).deps), {
    triedAgainAt: later,
  });
  t.strictSame(resumed.releases, ["s0"], "also by who only goes on with it");
});

t.test("what came to a good end, or what a person went back to, is not tried again", async (t) => {
  const { answers, releases } = trying({ planGeneration });
  t.match(await boot(prepare(t, {}, answers).deps), { outcome: "committed", triedAgainAt: null });
  const back = trying({ recover: async () => open(trial, "rollback") });
  t.match(await boot(prepare(t, { probe: failing }, back.answers).deps), { triedAgainAt: null });
  const person = await rollBackTo(prepare(t, { probe: failing }, answers).deps, 3);
  t.match(person, { outcome: "rolled-back", triedAgainAt: null });
  t.strictSame([...releases, ...back.releases], []);
});

t.test("what was left because it is damaged is tried again", async (t) => {
  const { answers, releases } = trying({ planGeneration });
  const { deps } = prepare(t, {}, answers);
  const damage = { why: "1 path of the store cannot be mended", left: "s9" };
  const outcome = await fallBackTo(deps, 3, damage);
  t.match(outcome, { outcome: "committed", triedAgainAt: later });
  t.strictSame(releases, ["s9"]);
  const sick = await fallBackTo(prepare(t, { probe: failing }, answers).deps, 3, damage);
  t.match(sick, { outcome: "rolled-back", triedAgainAt: null }, "it still runs");
});

t.test("a timer that cannot be set takes nothing of the end away", async (t) => {
  const retry = () => Promise.reject(new Fault("system/retry-failed", "no bus"));
  const { deps } = prepare(t, { probe: failing }, { retry });
  t.match(await boot(deps), { outcome: "rolled-back", triedAgainAt: null });
});

const unproved = {
  ...{ transaction: "t0", toplevel: "/nix/store/new", generation: 4, proved: false, failures: 0 },
  ...{ previousGood: { toplevel: "/nix/store/old", generation: 3 }, judging: null },
};

t.test("the first boot of what was committed proves it, where it is well", async (t) => {
  for (const passed of [true, false]) {
    const verdicts: Verdict[] = [];
    const { deps, asked } = prepare(
      t,
      { probe: async () => ({ passed, message: "file /ready: must exist" }) },
      {
        recover: async () => ({ ...clean, unproved }),
        runs: async () => ({ ...notRunning, runs: true, bootProved: passed }),
        prove: async (verdict) => {
          verdicts.push(verdict);
          return null;
        },
      },
    );
    t.match(await boot(deps), { outcome: "unchanged", bootProved: passed });
    t.strictSame(asked, ["recover", "runs", "prove"]);
    t.match(verdicts, [{ healthy: passed, subject: { transaction: "t0" } }]);
  }
});

t.test("it is proved against what its trial was held against", async (t) => {
  const service = (unit: string, restarts: number) =>
    `Id=${unit}\nNRestarts=${restarts}\nSubState=auto-restart\nResult=exit-code\nRestart=always\n`;
  const restarted = (unit: string, lately: boolean) => ({ unit, restarts: 9, lately });
  const baseline = {
    failedUnits: ["always.service"],
    restarted: [restarted("flaps.service", true), restarted("fell.service", false)],
    kept: [{ type: "link" }],
  };
  const prove = async (broken: { unit?: string; service?: string; link?: boolean }) => {
    const verdicts: Verdict[] = [];
    const answers: Partial<SystemClient> = {
      recover: async () => ({ ...clean, unproved: { ...unproved, judging: { baseline } } }),
      runs: async () => ({ ...notRunning, runs: true }),
      prove: async (verdict) => {
        verdicts.push(verdict);
        return null;
      },
    };
    const { deps } = prepare(t, {}, answers);
    const failed = ["always.service", broken.unit ?? ""].filter((unit) => unit !== "");
    const io = fakeIo(t.testdir({ run: { systemd: { system: {} } } }), {
      systemctl: ({ args }) => ({
        stdout:
          args[0] === "show"
            ? [service("flaps.service", 3), service(broken.service ?? "flaps.service", 2)].join(
                "\n",
              )
            : failed.map((unit) => `${unit} loaded failed failed x\n`).join(""),
      }),
    });
    const probe: FullDeps["probe"] = async ({ type }) => ({
      passed: type !== "link" || broken.link !== false,
      message: `${type}: no`,
    });
    await boot({ ...deps, io, probe });
    return verdicts[0];
  };
  t.match(await prove({}), { healthy: true });
  t.match(await prove({ unit: "new.service" }), { reasons: ["unit new.service: failed"] });
  t.match(
    await prove({ service: "fell.service" }),
    { reasons: ["unit fell.service: restarted 2 times since it was tried"] },
    "each boot counts restarts anew",
  );
  t.match(await prove({ link: false }), { reasons: ["link: no"] });
});
