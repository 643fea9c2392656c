import { rmSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { openBroker, type Received } from "./broker.ts";
import { evaluate } from "./evaluate.ts";
import { type Check, judgeReports, type Played } from "./judge-reports.ts";
import { type DemoMachine, demoMachines, giveUserData, layOut } from "./machines.ts";
import { openPicture, type Picture } from "./picture.ts";
import { type AgentRun, runAgent } from "./run-agent.ts";

const output = path.join(import.meta.dirname, "out");
const rootOf = (machine: DemoMachine) => path.join(output, machine.name);

// `--ci`: one line an event, whatever stdout is. The exit code says in any case whether all of it happened.
const { values: flags } = parseArgs({ options: { ci: { type: "boolean" } } });

const checks: Check[] = [];
const played: Played[] = [];
const promise = (what: string, holds: boolean) => void checks.push({ what, holds });

const started = performance.now();
rmSync(output, { recursive: true, force: true });
console.log(
  "firstlight: three machines, from a seed to a running generation, reported over MQTT.\n",
);

const picture = openPicture(demoMachines, process.stdout.isTTY === true && flags.ci !== true);
const broker = await openBroker((message) => tell(picture, message));
try {
  const first = await firstBoots();
  await badRelease();
  await secondBoot();
  await broker.settled();
  checks.push(...judgeReports(played, broker.received, "a-secret-that-never"));
  picture.end();
  summarise(first);
} finally {
  await broker.close();
}

const failed = checks.filter((check) => !check.holds);
for (const { what, holds } of checks) console.log(`${holds ? "ok    " : "FAILED"}  ${what}`);
console.log(
  `\n${failed.length === 0 ? "All of it happened" : `${failed.length} of ${checks.length} did not happen`} in ${seconds(performance.now() - started)}.`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

/** Act one: three first boots side by side. */
async function firstBoots(): Promise<ReadonlyMap<DemoMachine, AgentRun>> {
  const runs = await Promise.all(
    demoMachines.map(async (machine) => {
      layOut(rootOf(machine), machine, broker);
      return [machine, await boot(machine)] as const;
    }),
  );
  for (const [machine, { outcome }] of runs) {
    promise(
      `${machine.name}: generation 1 is committed`,
      outcome?.outcome === "committed" && outcome.generation === 1,
    );
    promise(
      `${machine.name}: its hardware is known as ${machine.profile}`,
      outcome?.profile === machine.profile,
    );
    const evaluated = evaluate(rootOf(machine));
    if (evaluated !== undefined)
      promise(`${machine.name}: real Nix evaluates what was rendered`, evaluated.ok);
  }
  return new Map(runs);
}

/** Act two: a release whose health check fails goes back by itself. */
async function badRelease(): Promise<void> {
  const [, board] = demoMachines;
  if (board === undefined) return;
  picture.say("\nThe board gets a release that is not healthy:");
  const bad = board
    .userData(broker)
    .replace(
      "health: { passes: 2",
      "health: { checks: [{ type: file, path: /run/never }], passes: 2",
    );
  giveUserData(rootOf(board), bad.replace("timezone: UTC", "timezone: Europe/Oslo"));
  const { outcome, exitCode } = await boot(board);
  promise(
    "board: the bad release is rolled back, exit code 3",
    outcome?.outcome === "rolled-back" && exitCode === 3,
  );
  promise("board: generation 1 runs again", outcome?.generation === 1);
}

/** Act three: nothing to do is nothing done. */
async function secondBoot(): Promise<void> {
  const [laptop] = demoMachines;
  if (laptop === undefined) return;
  picture.say("\nThe laptop boots once more:");
  const { outcome } = await boot(laptop);
  promise("laptop: a second boot changes nothing and says so", outcome?.outcome === "unchanged");
}

async function boot(machine: DemoMachine): Promise<AgentRun> {
  picture.update(machine.name, { state: "boots", mark: "running" });
  const run = await runAgent(rootOf(machine), "boot", (event) => {
    if (event.endsWith(".finished"))
      picture.update(machine.name, { state: event.replace(".finished", " ✓") });
  });
  played.push({ machine: machine.name, outcome: run.outcome?.outcome });
  const good = run.outcome?.outcome === "committed" || run.outcome?.outcome === "unchanged";
  const state =
    run.outcome === undefined
      ? `failed: ${run.talk.at(-1) ?? "no word"}`
      : `${run.outcome.outcome}: ${run.outcome.message}`;
  picture.update(machine.name, { state, mark: good ? "good" : "bad" });
  return run;
}

function tell(view: Picture, { topic, payload }: Received): void {
  const [node = "", ...rest] = topic.split("/");
  if (rest.join("/") !== "event/boot.finished") return;
  const body = (payload as { readonly body?: { readonly outcome?: string } }).body;
  view.say(`  mqtt ${node} ${rest.join("/")}: ${body?.outcome ?? ""}`);
}

function summarise(first: ReadonlyMap<DemoMachine, AgentRun>): void {
  console.log("\nmachine   profile                  stages of the first boot (ms)");
  for (const [machine, { outcome, ms }] of first) {
    const stages = (outcome?.stages ?? [])
      .map((stage) => `${stage.stage} ${Math.round(stage.ms)}`)
      .join(", ");
    console.log(
      `${machine.name.padEnd(9)} ${(outcome?.profile ?? "").padEnd(24)} ${stages}; process ${seconds(ms)}`,
    );
  }
  const shown = path.relative(process.cwd(), output);
  console.log(`\nmessages received: ${broker.received.length}`);
  console.log(
    `look around: ${shown}/laptop/etc/nixos/firstlight/instance.nix, ${shown}/board/etc/nixos/configuration.nix\n`,
  );
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
