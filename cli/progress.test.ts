import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { createLog } from "#core/log.ts";
import { textWidth } from "#core/text-width.ts";
import type { BuildActivity, BuildTotals } from "#provisioner/system/build-activity.ts";
import { noTotals } from "#provisioner/system/build-activity.ts";
import type { SystemEvent } from "#provisioner/system/system.ts";
import { newPicture, nextPicture } from "./build-picture.ts";
import type { Invocation } from "./command.ts";
import { drawBuild } from "./draw-build.ts";
import { progress } from "./progress.ts";

const hash = "0123456789abcdfghijklmnpqrsvwxyz";
const drv = (name: string) => `/nix/store/${hash}-${name}.drv`;
const path = (name: string) => `/nix/store/${hash}-${name}`;
const system = drv("nixos-system-edge");

const planned: BuildActivity = {
  kind: "planned",
  builds: [
    { derivation: system, neededBy: null },
    { derivation: drv("etc"), neededBy: system },
    { derivation: drv("unit-sshd"), neededBy: drv("etc") },
    { derivation: drv("unit-cron"), neededBy: drv("etc") },
    { derivation: drv("initrd"), neededBy: system },
  ],
};
const started = (what: "build" | "fetch", name: string, from: string | null = null) =>
  ({ kind: "started", what, path: name, from }) as const;
const totals = (more: Partial<BuildTotals>): BuildActivity => ({
  kind: "totals",
  totals: { ...noTotals, ...more },
});

/** Lines after some activities, each a second after the one before. */
function drawn(activities: readonly BuildActivity[], rows = 20, isUnicode = true) {
  let picture = newPicture(0);
  let nowMs = 0;
  for (const activity of activities) {
    picture = nextPicture(picture, activity, nowMs);
    nowMs += 1000;
  }
  return drawBuild(picture, { nowMs, rows, isUnicode });
}

const story: readonly BuildActivity[] = [
  planned,
  started("build", drv("unit-sshd")),
  started("build", drv("initrd"), "ssh://builder"),
  { kind: "phase", path: drv("unit-sshd"), phase: "buildPhase" },
  { kind: "ended", path: drv("initrd"), end: "failed", how: "exit code 7" },
  { kind: "waiting", path: drv("unit-cron"), why: "waiting for a lock" },
  started("fetch", path("linux-6.12"), "https://cache.example.org"),
  { kind: "bytes", path: path("linux-6.12"), done: 1024 * 1024, expected: 4 * 1024 * 1024 },
  totals({
    builds: { done: 1, expected: 5, running: 1, failed: 1 },
    fetches: { done: 0, expected: 1, running: 1, failed: 0 },
    downloadBytes: { done: 512 * 1024, expected: 2 * 1024 * 1024 },
  }),
];

t.test("what moves, waits and has failed hangs on what needs it; sums come last", async (t) => {
  t.strictSame(drawn(story), [
    "nixos-system-edge",
    "├─ etc",
    "│  ├─ ▶ unit-sshd  buildPhase  8 s",
    "│  └─ … unit-cron  waiting for a lock",
    "└─ ✗ initrd  builder  exit code 7",
    "↓ linux-6.12  cache.example.org  1.0 MiB of 4.0 MiB  3 s",
    "built 1 of 5, 1 running, 1 failed, fetched 0 of 1, 1 running, 512.0 KiB of 2.0 MiB, 9 s",
  ]);
});

t.test("a terminal without UTF-8 gets the same in ASCII", async (t) => {
  for (const line of drawn(story, 20, false)) t.match(line, /^[\x20-\x7e]+$/);
});

t.test("what has ended well goes, and what was stopped is not shown as running", async (t) => {
  t.strictSame(
    drawn([
      planned,
      started("build", drv("unit-sshd")),
      { kind: "ended", path: drv("unit-sshd"), end: "done", how: null },
      started("build", drv("initrd")),
      { kind: "ended", path: drv("initrd"), end: "stopped", how: null },
    ]),
    ["5 s"],
  );
});

t.test("a picture is never higher than it may be, and says what is left out", async (t) => {
  const lines = drawn(story, 4);
  t.equal(lines.length, 4);
  t.equal(lines[2], "… and 4 more");
});

t.test("a circle in what was planned ends, and what is in it is told in the sums", async (t) => {
  const builds = [
    { derivation: drv("a"), neededBy: drv("b") },
    { derivation: drv("b"), neededBy: drv("a") },
  ];
  const lines = drawn([{ kind: "planned", builds }, started("build", drv("a"))]);
  t.equal(lines.length, 1);
});

/** A run of the program, and what it told. */
function invocation(t: { testdir(): string }, more: Partial<Invocation> & { isLive?: boolean }) {
  const told: string[] = [];
  const shown: (readonly string[])[] = [];
  const io = fakeIo(t.testdir());
  const log = createLog(io.clock, ({ level, event, fields }) =>
    told.push(`${level} ${event} ${JSON.stringify(fields)}`),
  );
  const live = {
    columns: () => 40,
    rows: () => 10,
    isUnicode: true,
    show: (lines: readonly string[]) => shown.push(lines),
  };
  const saw = progress({
    args: [],
    flags: {},
    json: false,
    io,
    log,
    signal: new AbortController().signal,
    ...more,
    out: {
      data: () => {},
      talk: (text) => told.push(text),
      findings: () => {},
      page: { columns: 80, isUnicode: true },
      live: more.isLive === true ? live : undefined,
    },
  });
  const tell = (...events: readonly SystemEvent[]) => {
    for (const event of events) {
      saw(event);
      io.clock.advance(1000);
    }
  };
  return { told, shown, tell };
}

const build = (activity: BuildActivity): SystemEvent => ({ type: "build", activity });
const buildEnds: SystemEvent = { type: "step", step: "build", state: "finished", ms: 1 };

t.test("on a terminal the picture goes when the build has ended", async (t) => {
  const { tell, shown, told } = invocation(t, { isLive: true });
  tell(...story.map(build), buildEnds);
  t.equal(shown.at(-2)?.length, 7);
  t.strictSame(shown.at(-1), []);
  t.strictSame(
    told.filter((line) => !line.startsWith("debug")),
    [],
  );
});

t.test("without a terminal each thing that ended is a line", async (t) => {
  const { tell, told } = invocation(t, {});
  const ended = { kind: "ended", path: drv("unit-sshd"), end: "done", how: null } as const;
  tell(...story.map(build), build(ended), buildEnds);
  t.strictSame(
    told.filter((line) => !line.startsWith("debug")),
    [
      'error build.failed {"name":"initrd","ms":2000,"how":"exit code 7"}',
      'info build.finished {"name":"unit-sshd","ms":8000,"how":null}',
    ],
  );
});

for (const [flag, more] of [
  ["--json", { json: true }],
  ["--quiet", { flags: { quiet: true } }],
  ["--verbose", { flags: { verbose: true } }],
] as const) {
  t.test(`with ${flag} nothing is drawn`, async (t) => {
    const { tell, shown } = invocation(t, { ...more, isLive: true });
    tell(...story.map(build), buildEnds);
    t.strictSame(shown, []);
  });
}

t.test("Nix's own lines come with --verbose, and command no terminal", async (t) => {
  const line = "\u001b[2Jboom\u0007";
  const event: SystemEvent = { type: "build-log", line, derivation: drv("unit-sshd") };
  const silent = invocation(t, {});
  silent.tell(event);
  t.strictSame(silent.told, []);
  const verbose = invocation(t, { flags: { verbose: true } });
  verbose.tell(event);
  t.strictSame(verbose.told, ["unit-sshd> boom"]);
});

t.test("warnings are told always, and builders where the limits do not reach them", async (t) => {
  const { tell, told } = invocation(t, { flags: { quiet: true } });
  tell(
    { type: "warning", code: "system/not-enough-memory", message: "memory is short" },
    { type: "builders", builders: "children" },
    { type: "builders", builders: "daemon" },
  );
  t.strictSame(told, [
    'warning system.warning {"code":"system/not-enough-memory","message":"memory is short"}',
    'info system.builders {"builders":"daemon","limits":"do not reach them"}',
  ]);
});

t.test("hostile names and phases stay on their line", async (t) => {
  const lines = drawn([
    started("build", `/x/${"漢".repeat(500)}`),
    { kind: "phase", path: `/x/${"漢".repeat(500)}`, phase: "p".repeat(5000) },
  ]);
  t.ok(lines.every((line) => !line.includes("\n")));
  t.ok(textWidth(lines[0] ?? "") > 80, "the terminal cuts it");
});
