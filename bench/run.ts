import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { bootCases, userData } from "./boot.ts";
import type { Case } from "./case.ts";
import { cloudInitCases } from "./cloud-init.ts";
import { discoverCases, measureDetection } from "./discover.ts";
import { measureFacts } from "./facts.ts";
import { describeLink, measureLink } from "./link.ts";
import { type Matching, measureMatching } from "./match.ts";
import { measure, median, ninth, type Sample } from "./measure.ts";
import { describePush, measurePush } from "./push.ts";
import { renderCases } from "./render.ts";
import { systemCases } from "./system.ts";
import { measureVerification } from "./verify.ts";

/** A floor whose nine-of-ten value is so much above its least says that the machine was busy. */
const noisyFrom = 1.6;

/** What there are goals for of the link. */
type LinkFigure = "rssMiB" | "rssRatio" | "cpuPercent" | "roundTripMs";

/** What came of one case. */
interface Row {
  readonly name: string;
  readonly cpuMs: number;
  readonly leastMs: number;
  readonly p90Ms: number;
  readonly peakMiB: number | null;
  readonly wallMs: number;
  /** Median of the ratios to the floor, round by round, of CPU time and of wall time. */
  readonly ratio: number | null;
  readonly wallRatio: number | null;
  readonly noisy: boolean;
}

const { values: flags } = parseArgs({
  options: {
    check: { type: "boolean" },
    rounds: { type: "string" },
    "idle-seconds": { type: "string" },
  },
});
const rounds = Number(flags.rounds ?? "11");

console.log(
  `${cpus().length} cores, load ${loadavg()[0]?.toFixed(2)}, node ${process.version}, ${rounds} rounds in turn after one to warm up`,
);
const boots = bootCases();
const discoveries = await discoverCases(userData);
const cloudInit = cloudInitCases(userData, discoveries.ec2);
const renders = renderCases();
const systems = await systemCases();
let rows: readonly Row[];
try {
  rows = runCases([
    ...boots.cases,
    ...discoveries.cases,
    ...cloudInit.cases,
    ...renders.cases,
    ...systems.cases,
  ]);
} finally {
  boots.close();
  discoveries.close();
  cloudInit.close();
  renders.close();
  systems.close();
}
const facts = await measureFacts(200);
const detection = await measureDetection(200);
const matching = measureMatching(5);
const link = await measureLink(Number(flags["idle-seconds"] ?? "60"));
const verification = measureVerification(50);
const push = await measurePush(300);

console.log(
  `\n${"case".padEnd(38)} ${"cpu ms".padStart(8)} ${"least".padStart(8)} ${"p90".padStart(8)} ${"MiB".padStart(7)} ${"x floor".padStart(8)} ${"wall ms".padStart(8)} ${"x floor".padStart(8)}`,
);
for (const row of rows) {
  const times = (ratio: number | null) => (ratio === null ? "" : ratio.toFixed(2)).padStart(8);
  const peak = row.peakMiB === null ? "" : row.peakMiB.toFixed(1);
  console.log(
    `${row.name.padEnd(38)} ${row.cpuMs.toFixed(0).padStart(8)} ${row.leastMs.toFixed(0).padStart(8)} ${row.p90Ms.toFixed(0).padStart(8)} ${peak.padStart(7)} ${times(row.ratio)} ${row.wallMs.toFixed(0).padStart(8)} ${times(row.wallRatio)}${row.noisy ? "  noisy" : ""}`,
  );
}
const inProcess = { "facts of a whole machine": facts, "looking for every datasource": detection };
console.log();
for (const [what, { medianMs, p90Ms, firstMs }] of Object.entries(inProcess))
  console.log(
    `${what}, in process: median ${medianMs.toFixed(2)} ms, p90 ${p90Ms.toFixed(2)} ms, first ${firstMs.toFixed(2)} ms`,
  );
console.log(describeMatching(matching));
console.log(describeLink(link));
console.log(
  `verification of an update of ${verification.bytes} bytes: median ${verification.medianMs.toFixed(2)} ms CPU, first ${verification.firstMs.toFixed(2)} ms`,
);
console.log(describePush(push));
console.log(cloudInit.note);
if (systems.cases.length === 0)
  console.log("Without root or Nix nothing was measured on real Nix.");

save();
if (flags.check === true) process.exitCode = check();

function runCases(all: readonly Case[]): readonly Row[] {
  const samples = new Map<string, Sample[]>(all.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    const turned = all
      .map((_, index) => all[(index + round) % all.length])
      .filter((each) => each !== undefined);
    for (const each of turned) {
      const sample = measure(each.argv(), each.env);
      if (round > 0) samples.get(each.name)?.push(sample);
    }
  }
  return all.map((each) => toRow(each, samples));
}

function toRow({ name, floor }: Case, samples: ReadonlyMap<string, readonly Sample[]>): Row {
  const own = samples.get(name) ?? [];
  const below = floor === undefined ? [] : (samples.get(floor) ?? []);
  const cpu = own.map((sample) => sample.cpuMs);
  const floorCpu = (floor === undefined ? own : below).map((sample) => sample.cpuMs);
  const peaks = own.map((sample) => sample.peakMiB).filter((peak) => peak !== null);
  const ratio = (key: "cpuMs" | "wallMs") =>
    below.length === 0
      ? null
      : median(own.map((sample, index) => sample[key] / (below[index]?.[key] ?? Number.NaN)));
  return {
    name,
    cpuMs: median(cpu),
    leastMs: Math.min(...cpu),
    p90Ms: ninth(cpu),
    peakMiB: peaks.length === 0 ? null : median(peaks),
    wallMs: median(own.map((sample) => sample.wallMs)),
    ratio: ratio("cpuMs"),
    wallRatio: ratio("wallMs"),
    noisy: ninth(floorCpu) / Math.min(...floorCpu) > noisyFrom,
  };
}

function describeMatching(found: Matching | undefined): string {
  return found === undefined
    ? "Without the real machines (../shared/data/hardware) no match was measured."
    : `match: ${found.usPerMachine.toFixed(2)} us a machine, ${found.profiles} profiles, ${found.machines} machines`;
}

/** Holds the figures against the goals; a case measured on a busy machine is not judged. */
function check(): number {
  const goals = JSON.parse(
    readFileSync(path.join(import.meta.dirname, "goals.json"), "utf8"),
  ) as Record<
    string,
    Partial<
      Record<
        | "cpuMs"
        | "peakMiB"
        | "wallRatio"
        | "medianMs"
        | "firstMs"
        | "p99Ms"
        | "bytes"
        | "usPerMachine"
        | LinkFigure,
        number
      >
    >
  >;
  const misses = rows.flatMap((row) => {
    const goal = goals[row.name];
    if (goal === undefined || row.noisy) return [];
    return [
      ...(goal.cpuMs !== undefined && row.cpuMs > goal.cpuMs
        ? [`${row.name}: ${row.cpuMs.toFixed(0)} ms CPU, goal ${goal.cpuMs}`]
        : []),
      ...(goal.wallRatio !== undefined && row.wallRatio !== null && row.wallRatio > goal.wallRatio
        ? [`${row.name}: ${row.wallRatio.toFixed(2)} times its floor, goal ${goal.wallRatio}`]
        : []),
      ...(goal.peakMiB !== undefined && row.peakMiB !== null && row.peakMiB > goal.peakMiB
        ? [`${row.name}: ${row.peakMiB.toFixed(1)} MiB, goal ${goal.peakMiB}`]
        : []),
    ];
  });
  for (const [name, { medianMs }] of Object.entries({ facts, detection })) {
    const goal = goals[name]?.medianMs;
    if (goal !== undefined && medianMs > goal)
      misses.push(`${name}: ${medianMs.toFixed(2)} ms, goal ${goal}`);
  }
  for (const figure of ["medianMs", "firstMs"] as const) {
    const goal = goals["verification"]?.[figure];
    if (goal !== undefined && verification[figure] > goal)
      misses.push(`verification, ${figure}: ${verification[figure].toFixed(2)} ms, goal ${goal}`);
  }
  const most = goals["match"]?.usPerMachine;
  if (most !== undefined && matching !== undefined && matching.usPerMachine > most)
    misses.push(`match: ${matching.usPerMachine.toFixed(2)} us a machine, goal ${most}`);
  const idle: Readonly<Record<LinkFigure, number | undefined>> = {
    rssMiB: link?.daemon.rssMiB,
    rssRatio: link?.rssRatio,
    cpuPercent: link?.daemon.cpuPercent,
    roundTripMs: link?.roundTripMs.plain,
  };
  for (const [figure, value] of Object.entries(idle)) {
    const goal = goals["link"]?.[figure as LinkFigure];
    if (goal !== undefined && value !== undefined && value > goal)
      misses.push(`link: ${figure} ${value.toFixed(2)}, goal ${goal}`);
  }
  const pushed = { p99Ms: push?.durable.p99Ms, bytes: push?.bytes };
  for (const figure of ["p99Ms", "bytes"] as const) {
    const goal = goals["push"]?.[figure];
    const value = pushed[figure];
    if (goal !== undefined && value !== undefined && value > goal)
      misses.push(`push: ${figure} ${value.toFixed(1)}, goal ${goal}`);
  }
  for (const miss of misses) console.error(`missed: ${miss}`);
  return misses.length === 0 ? 0 : 1;
}

function save(): void {
  const directory = path.join(import.meta.dirname, "results");
  mkdirSync(directory, { recursive: true });
  const file = path.join(directory, `${new Date().toISOString().replaceAll(":", "")}.json`);
  writeFileSync(
    file,
    `${JSON.stringify({ node: process.version, rounds, rows, facts, detection, matching, verification, link, push }, null, 2)}\n`,
  );
}
