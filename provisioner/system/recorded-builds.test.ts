import t from "tap";
import { hostFiles } from "#core/host-files.ts";
import { planBuilds } from "./derivation-graph.ts";
import { followLines, nameOf, toldActivity } from "./fake-follower.ts";
import { parseDryRun } from "./nix-dry-run.ts";
import { buildFault } from "./nix-errors.ts";
import { type RecordedNix, recordedNixes } from "./recorded-nix.ts";

/** Follows a recorded build; its activities without counts and bytes, which differ, and the last counts. */
function follow(nix: RecordedNix, name: string) {
  const followed = followLines(nix.recording(name).stderr);
  const totals = followed.activities.flatMap((activity) =>
    activity.kind === "totals" ? [activity.totals] : [],
  );
  const activities = followed.activities.filter(
    ({ kind }) => kind !== "totals" && kind !== "bytes",
  );
  return { ...followed, told: activities.map(toldActivity), totals: totals.at(-1) };
}

const broken = ["planned unit-cron.service etc nixos-system-edge-25.11", "build unit-cron.service"];

const builds = [
  {
    name: "build-whole",
    what: "a build that succeeds",
    told: [
      "planned unit-sshd.service etc nixos-system-edge-25.11",
      "build unit-sshd.service",
      "unit-sshd.service: buildPhase",
      "unit-sshd.service: installPhase",
      "unit-sshd.service done",
      "build etc",
      "etc done",
      "build nixos-system-edge-25.11",
      "nixos-system-edge-25.11 done",
    ],
    builds: { done: 3, expected: 3, running: 0, failed: 0 },
    log: ["checking sshd.service"],
  },
  {
    name: "build-again",
    what: "a build of what is there already",
    told: [],
    builds: { done: 0, expected: 0, running: 0, failed: 0 },
  },
  {
    name: "build-fetched",
    what: "a build of which parts are fetched",
    told: [
      "planned nixos-system-edge-25.11",
      "fetch libgreet-1.0 file:///var/lib/firstlight/cache",
      "libgreet-1.0 done",
      "fetch greet-1.2 file:///var/lib/firstlight/cache",
      "greet-1.2 done",
      "build nixos-system-edge-25.11",
      "nixos-system-edge-25.11 done",
    ],
    builds: { done: 1, expected: 1, running: 0, failed: 0 },
    fetches: { done: 2, expected: 2, running: 0, failed: 0 },
  },
  {
    name: "build-untrusted",
    what: "a build of which a cache has parts that nobody trusts",
    told: [
      "planned nixos-system-edge-25.11",
      "build libgreet-1.0",
      "libgreet-1.0 done",
      "build greet-1.2",
      "greet-1.2 done",
      "build nixos-system-edge-25.11",
      "nixos-system-edge-25.11 done",
    ],
    builds: { done: 3, expected: 3, running: 0, failed: 0 },
  },
  {
    name: "build-failed",
    what: "a build that fails",
    told: [...broken, "unit-cron.service failed exit code 7"],
    fault: {
      code: "system/build-failed",
      message:
        /-unit-cron\.service\.drv: exit code 7; last lines:\nreading cron\.service\ncron\.service: no such directive$/,
    },
    builds: { done: 0, expected: 0, running: 0, failed: 1 },
    log: ["reading cron.service", "cron.service: no such directive"],
  },
  {
    name: "build-killed",
    what: "a builder that is killed",
    told: [...broken, "unit-cron.service failed signal 9 (Killed)"],
    fault: {
      code: "system/build-failed",
      message: /-unit-cron\.service\.drv: signal 9 \(Killed\); last lines:\ncompiling$/,
    },
    builds: { done: 0, expected: 0, running: 0, failed: 1 },
  },
  {
    name: "build-no-output",
    what: "a builder that makes nothing",
    told: [
      ...broken,
      /^unit-cron\.service failed failed to produce output path for output 'out' at /,
    ],
    fault: {
      code: "system/build-failed",
      message:
        /-unit-cron\.service\.drv: failed to produce output path .*-unit-cron\.service['"]; last lines:\ndone$/,
    },
    builds: { done: 0, expected: 0, running: 0, failed: 1 },
  },
  {
    name: "build-full-disk",
    what: "a builder that has no room",
    told: [...broken, "unit-cron.service failed exit code 1"],
    fault: { code: "system/disk-full", message: /No space left on device$/ },
    builds: { done: 0, expected: 0, running: 0, failed: 1 },
  },
  {
    name: "build-hash-mismatch",
    what: "something else than what was asked for",
    told: [
      "planned source.tar.gz nixos-system-edge-25.11",
      "build source.tar.gz",
      "source.tar.gz failed hash mismatch",
    ],
    fault: {
      code: "system/build-failed",
      message:
        /-source\.tar\.gz\.drv: hash mismatch; last lines:\n\s+specified: sha256-.*=\n\s+got: +sha256-.*=$/,
    },
    builds: { done: 0, expected: 0, running: 0, failed: 1 },
  },
];

for (const nix of recordedNixes) {
  for (const { name, what, fault, ...expected } of builds) {
    t.test(`Nix ${nix.version}: ${what} is followed to its end`, async (t) => {
      const { told, totals, log, said, logOf } = follow(nix, name);
      t.match(told, expected.told);
      t.equal(told.length, expected.told.length);
      t.strictSame(totals?.builds, expected.builds);
      if (expected.fetches !== undefined) t.strictSame(totals?.fetches, expected.fetches);
      const own = log.flatMap(({ derivation, line }) => (derivation === null ? [] : [line]));
      if (expected.log !== undefined) t.strictSame(own, expected.log);
      const result = { ...nix.result(name), stderr: said() };
      t.equal(result.code === 0, fault === undefined);
      if (fault !== undefined) t.match(buildFault(result, logOf), fault);
    });
  }
}

const system = ["unit-sshd.service", "etc", "nixos-system-edge-25.11"];
const needs = [
  { name: "dry-run-builds", builds: system },
  {
    name: "dry-run-fetches",
    builds: ["nixos-system-edge-25.11"],
    fetches: ["greet-1.2", "libgreet-1.0"],
  },
  { name: "dry-run-nothing" },
  { name: "dry-run-unknown", unknown: ["absent-1.0"] },
];

for (const nix of recordedNixes) {
  for (const { name, builds = [], fetches = [], unknown = [] } of needs) {
    t.test(`Nix ${nix.version}: ${name} is read`, async (t) => {
      const { code, stderr } = nix.result(name);
      const need = parseDryRun(stderr);
      t.equal(code, 0);
      t.strictSame(need.builds.map(nameOf), builds);
      t.strictSame(need.fetches.map(nameOf).sort(), fetches);
      t.strictSame(need.unknown.map(nameOf), unknown);
    });
  }

  t.test(`Nix ${nix.version}: its derivations are read as a tree`, async (t) => {
    const files = hostFiles(t.testdir(), () => {});
    for (const name of ["derivation-system", "derivation-etc"]) {
      const { argv, stdout } = nix.recording(name);
      files.write(argv.at(-1) ?? "", stdout.join("\n"));
    }
    const derivations = parseDryRun(nix.result("dry-run-builds").stderr).builds;
    const planned = planBuilds(files, derivations.at(-1) ?? "", derivations);
    const edges = planned.map((each) => [
      nameOf(each.derivation),
      each.neededBy === null ? null : nameOf(each.neededBy),
    ]);
    t.strictSame(edges, [
      ["unit-sshd.service", "etc"],
      ["etc", "nixos-system-edge-25.11"],
      ["nixos-system-edge-25.11", null],
    ]);
  });
}
