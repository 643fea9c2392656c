import t, { type Test } from "tap";
import { type FakeIo, fakeIo } from "#core/fake-io.ts";
import type { Health } from "#generated/provisioner/spec/v1.ts";
import { conclusionOf } from "./conclude.ts";
import { type Baseline, judge, readBaseline } from "./judge.ts";
import type { Probe } from "./probe.ts";
import { parseServices } from "./probe-systemd.ts";
import type { Restarted } from "./restarts.ts";

/** A service as a fake systemd has it. */
interface Service {
  readonly unit?: string;
  readonly policy?: string;
  /** When it falls, in seconds since the judgement began; it is started again at once. */
  readonly falls?: readonly number[];
  /** So long it waits then, in seconds. */
  readonly waits?: number;
  /** How it ends. */
  readonly result?: string;
  /** Restarts before that. */
  readonly before?: number;
  /** When it was first started, in seconds before the judgement began. */
  readonly age?: number;
}

const bootedMs = 10_000_000;
const probe: Probe = async () => ({ passed: true, message: "" });
const trial = { transaction: "t", toplevel: "/nix/store/new", bootId: "b" };
const nothing: Baseline = { failedUnits: [], restarted: [], kept: [] };

/** What systemd says of a service at a time, in seconds. */
function show(service: Service, now: number): string {
  const { unit = "web.service", policy = "always", falls = [], waits = 0 } = service;
  const { result = "exit-code", before = 0, age = 0 } = service;
  const restarted = falls.filter((at) => at + waits <= now).map((at) => at + waits);
  const waiting = falls.some((at) => at <= now && now < at + waits);
  const started = restarted.at(-1) ?? -age;
  return `Restart=${policy}
Result=${waiting ? result : "success"}
NRestarts=${before + restarted.length}
ExecMainStartTimestampMonotonic=${(bootedMs + started * 1000) * 1000}
Id=${unit}
SubState=${waiting ? "auto-restart" : "running"}
`;
}

function machine(t: Test, services: readonly Service[]): FakeIo {
  const root = t.testdir({
    run: { systemd: { system: {} } },
    proc: { uptime: `${bootedMs / 1000}.00 1.00\n` },
  });
  const io: FakeIo = fakeIo(root, {
    systemctl: ({ args }) => {
      if (args[0] !== "show") return {};
      const now = io.clock.monotonicMs() / 1000;
      return { stdout: services.map((service) => show(service, now)).join("\n") };
    },
  });
  return io;
}

const every = (seconds: number, first = seconds) =>
  Array.from({ length: 200 }, (_, index) => first + index * seconds);

interface Case {
  readonly service: Service;
  readonly health?: Health;
  readonly baseline?: Baseline;
  readonly healthy: boolean;
  readonly reasons?: readonly (string | RegExp)[];
  /** How long it took. */
  readonly ms?: number;
}

const soaked: Health = { soak: "30s" };
const before = (restarted: Partial<Restarted>): Baseline => ({
  ...nothing,
  restarted: [{ unit: "web.service", restarts: 4, lately: false, ...restarted }],
});

const cases: Readonly<Record<string, Case>> = {
  "that never falls is well": { service: {}, healthy: true, ms: 10_000 },
  "that falls at once and waits a second": {
    service: { falls: every(1.1, -1), waits: 1 },
    healthy: false,
    reasons: [/^unit web\.service: restarted [0-9]+ times since it was tried$/],
  },
  "that falls at once and waits for long": {
    service: { falls: [-1], waits: 3600 },
    healthy: false,
    reasons: ["unit web.service: ended with exit-code, and is to be restarted"],
  },
  "that falls every 20 s, with a soak": {
    service: { falls: every(20) },
    health: soaked,
    healthy: false,
    reasons: [/restarted [56] times/],
  },
  "that falls every 20 s, first while it is tried": {
    service: { falls: every(20, -1), age: 21 },
    healthy: false,
  },
  "that falls every 20 s, with one pass": {
    service: { falls: every(20, -1), age: 21 },
    health: { passes: 1 },
    healthy: false,
  },
  "that falls every 40 s, as long as it is watched": {
    service: { falls: every(40, 8), age: 32 },
    health: { timeout: "10m" },
    healthy: false,
    reasons: [/restarted 15 times/],
  },
  "that fell while it was tried, and stays up": {
    service: { falls: [-1], age: 3 },
    healthy: true,
    ms: 45_000, // up for more than 30 s at 35 s, and three rounds
  },
  "that falls once, and stays up": {
    service: { falls: [3], age: 1 },
    healthy: true,
    ms: 50_000,
  },
  "that falls once, in a short watch": {
    service: { falls: [1] },
    health: { timeout: "20s", interval: "2s" },
    healthy: true,
    ms: 12_000, // seen at 2 s, up for more than 5 s at 8 s
  },
  "that falls once after a while is watched for longer than that": {
    service: { falls: [44] },
    health: { soak: "45s", timeout: "5m" },
    healthy: true,
    ms: 135_000, // seen at 45 s, up for more than 44 s at 90 s, and the soak
  },
  "that ends well on purpose, as is seen": {
    service: { falls: every(7, -3), waits: 6, result: "success" },
    healthy: true,
    ms: 10_000,
  },
  "that is restarted where it ends well only": {
    service: { falls: every(3), policy: "on-success" },
    health: soaked,
    healthy: true,
  },
  "whose ends nobody sees has failed, as far as anybody can tell": {
    service: { falls: every(3) },
    healthy: false,
  },
  "that was restarted before, and is not any more": {
    service: { before: 4 },
    baseline: before({}),
    healthy: true,
    ms: 10_000,
  },
  "that was restarted before, and begins again": {
    service: { before: 4, falls: every(7, -3) },
    baseline: before({}),
    healthy: false,
  },
  "that was at it before": {
    service: { before: 4, falls: every(3) },
    baseline: before({ lately: true }),
    healthy: true,
    ms: 10_000,
  },
  "that was at it before, where none may": {
    service: { before: 4, falls: every(3) },
    baseline: before({ lately: true }),
    health: { failedUnits: "any" },
    healthy: false,
  },
  "that was started anew by the trial, and falls": {
    service: { before: 0, falls: every(3, -10), age: 12 },
    baseline: before({ restarts: 100 }),
    healthy: false,
    reasons: [/restarted 4[0-9] times/],
  },
  "of a trial that says nothing of before, with its counter from long ago": {
    service: { before: 9 },
    baseline: { ...nothing, restarted: null },
    healthy: true,
    ms: 10_000,
  },
  "where they are ignored": {
    service: { falls: every(3) },
    health: { failedUnits: "ignore" },
    healthy: true,
  },
  "of firstlight, which tries again on purpose": {
    service: { unit: "firstlight-boot.service", falls: every(3) },
    healthy: true,
  },
  "of firstlight, with a command of the fleet that waits for the end of the change": {
    service: { unit: "firstlight-fleet-commands.service", falls: every(3) },
    healthy: true,
  },
  "of firstlight, with an update that waits for the end of the change": {
    service: { unit: "firstlight-update.service", falls: every(3) },
    healthy: true,
  },
  "of firstlight, which a release must not break": {
    service: { unit: "firstlight-agent.service", falls: every(11, -1), waits: 10 },
    healthy: false,
  },
  "of firstlight, which ends to take another broker": {
    service: { unit: "firstlight-agent.service", falls: [2], waits: 10, result: "success" },
    healthy: true,
    ms: 10_000,
  },
  "of a command": {
    service: { unit: "firstlight-command-runcmd.service", falls: [1], waits: 3600 },
    healthy: true,
  },
};

for (const [name, { service, health, baseline = nothing, ...expected }] of Object.entries(cases)) {
  t.test(`a service ${name}`, async (t) => {
    const io = machine(t, [service]);
    t.match(await judge(health, trial, { io, probe, baseline }), expected);
  });
}

t.test("before a trial it is known what is restarted, and whether it still is", async (t) => {
  const io = machine(t, [
    {},
    { unit: "long-ago.service", before: 3, age: 3_600 },
    { unit: "again.service", before: 3, age: 60 },
    { unit: "waits.service", falls: [-1], waits: 60 },
    { unit: "polls.service", falls: [-1], waits: 60, result: "success" },
    { unit: "firstlight-boot.service", before: 1 },
  ]);
  t.strictSame((await readBaseline(undefined, { io, probe })).restarted, [
    { unit: "long-ago.service", restarts: 3, lately: false },
    { unit: "again.service", restarts: 3, lately: true },
    { unit: "waits.service", restarts: 0, lately: true },
  ]);
});

t.test("what is restarted without the trial as well blames nobody", async (t) => {
  const failed = ["unit web.service"];
  const verdict = { healthy: false, failed, reasons: [], passes: 0, ms: 0 };
  const conclusion = (service: Service) =>
    conclusionOf({ judging: { baseline: nothing }, verdict }, { io: machine(t, [service]), probe });
  t.match(await conclusion({ falls: every(6, -1), waits: 5 }), { conclusive: false });
  const before = { before: 7, age: 60 };
  t.match(await conclusion(before), { conclusive: true }, "a counter that stands says nothing");
});

t.test(
  "systemd's words: states of later versions, and a version that does not count",
  async (t) => {
    const said = `NRestarts=2
ExecMainStartTimestampMonotonic=4219035400
Restart=on-failure
Result=exit-code
Id=a.service
SubState=auto-restart-queued

Restart=no
Result=success
NRestarts=0
ExecMainStartTimestampMonotonic=0
Id=b.service
SubState=running
`;
    t.strictSame(parseServices(said), [
      {
        ...{ unit: "a.service", restarts: 2, waits: true, result: "exit-code" },
        ...{ policy: "on-failure", startedMs: 4_219_035.4 },
      },
      {
        ...{ unit: "b.service", restarts: 0, waits: false, result: "success" },
        ...{ policy: "no", startedMs: null },
      },
    ]);
    t.strictSame(parseServices(said.replaceAll(/^NRestarts=.*\n/gm, "")), []);
    t.strictSame(parseServices(""), []);
  },
);
