import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { counted } from "#core/count.ts";
import { Fault } from "#core/fault.ts";
import { placeOfFinding } from "#core/finding.ts";
import type { RolloutEvent } from "#fleet/rollout/rollout.ts";
import type { Sample, SimulationReport } from "#fleet/rollout/simulate.ts";
import { type Invocation, type Output, textFlag } from "./command.ts";
import { drawnColumns, lineOf, type Page, padToWidth } from "./drawing.ts";
import { readInput } from "./read-input.ts";

const maxNodes = 1_000_000;

/** `firstlight fleet simulate FILE` */
export async function simulateFleet(invocation: Invocation): Promise<number> {
  const { args, flags, json, out, signal } = invocation;
  const [name] = args;
  if (name === undefined || args.length > 1)
    throw new Fault("cli/usage", "fleet simulate: expected the file of one scenario");
  const nodes = numberOf(textFlag(flags, "nodes"), "--nodes", { least: 1, most: maxNodes });
  const seed = numberOf(textFlag(flags, "seed"), "--seed", { least: 0, most: 2 ** 32 - 1 }) ?? 1;
  const [{ readScenario }, { simulate }] = await Promise.all([
    import("#fleet/rollout/read-document.ts"),
    import("#fleet/rollout/simulate.ts"),
  ]);
  const text = new TextDecoder().decode(await readInput(name, { signal }));
  const { value, findings } = readScenario(text, name);
  if (value === undefined) {
    const [first] = findings;
    const why = first === undefined ? name : `${placeOfFinding(first)}: ${first.message}`;
    throw new Fault("rollout/invalid", why, { findings });
  }
  out.findings(findings);
  const report = await simulate(value, {
    ...{ seed, signal, onSample: (sample) => showSample(out, sample) },
    ...(nodes === undefined ? {} : { nodes }),
  });
  out.live?.show([]);
  out.data(json ? prettyJson(report) : drawReport(report, out.page).join("\n"));
  return report.state === "SUCCEEDED" ? exitCodes.done : exitCodes.degraded;
}

function numberOf(
  text: string | undefined,
  flag: string,
  { least, most }: { readonly least: number; readonly most: number },
): number | undefined {
  if (text === undefined) return undefined;
  const number = /^[0-9]{1,10}$/.test(text) ? Number(text) : -1;
  if (number >= least && number <= most) return number;
  throw new Fault(
    "cli/usage",
    `${flag}: expected a number from ${least} to ${most}, got ${JSON.stringify(text)}`,
  );
}

function showSample(
  out: Output,
  { atMs, phase, wave, succeeded, failed, inProgress }: Sample,
): void {
  out.live?.show([
    `${hours(atMs)}  ${phase} ${wave}  ${succeeded} succeeded, ${failed} failed, ${inProgress} in progress`,
  ]);
}

/** The outcome for a person: what became of it, waves, models, the course, and what happened when. */
export function drawReport(report: SimulationReport, page: Page): readonly string[] {
  const { succeeded, failed, notStarted, takenBack, selected, mostInProgress } = report;
  const counts = [
    `${succeeded} of ${counted(selected, "node")} have the release`,
    `${failed} failed`,
    ...(notStarted === 0 ? [] : [`${notStarted} never started`]),
    ...(takenBack === 0 ? [] : [`${takenBack} taken back`]),
    `at most ${mostInProgress} at once`,
  ];
  return [
    `${report.state} after ${hours(report.tookMs)}${report.reason === "" ? "" : `: ${report.reason}`}`,
    counts.join(", "),
    "",
    ...table(
      ["wave", "size", "from", "to", "succeeded", "failed"],
      report.waves.map(({ name, size, startedMs, passedMs, ...wave }) => [
        ...[name, size === null ? "-" : String(size), hoursOr(startedMs), hoursOr(passedMs)],
        ...[String(wave.succeeded), String(wave.failed)],
      ]),
    ),
    "",
    ...table(
      ["model", "nodes", "succeeded", "failed", "never started", ""],
      report.models.map(({ model, nodes, held, ...of }) => [
        ...[
          model,
          String(nodes),
          String(of.succeeded),
          String(of.failed),
          String(of.notStarted),
          held ? "held" : "",
        ],
      ]),
    ),
    "",
    ...drawCourse(report, page),
    "",
    ...report.history.map(({ atMs, event }) => `${hours(atMs).padStart(9)}  ${eventText(event)}`),
  ].map((line) => (line === "" ? "" : lineOfTable(line, page)));
}

/** Blanks are kept: they align. */
function lineOfTable(line: string, page: Page): string {
  return line
    .split(/( {2,})/)
    .map((part) => (/^ *$/.test(part) ? part : lineOf(part, page)))
    .join("");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const all = [head, ...rows];
  const widths = head.map((_, at) => Math.max(...all.map((row) => (row[at] ?? "").length)));
  return all.map((row) =>
    row
      .map((cell, at) => padToWidth(cell, widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

const bars = {
  unicode: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
  ascii: [" ", ".", ":", "|"],
};

/** Three lines over the same time: who has the release, who failed, who is in progress. */
function drawCourse(
  { samples, tookMs, selected, mostInProgress, failed }: SimulationReport,
  page: Page,
): readonly string[] {
  const label = 12;
  const columns = Math.max(10, drawnColumns(page) - label);
  const steps = page.isUnicode ? bars.unicode : bars.ascii;
  const line = (name: string, most: number, of: (sample: Sample) => number) => {
    const cells = Array.from({ length: columns }, (_, at) => {
      const untilMs = ((at + 1) * tookMs) / columns;
      const sample = samples.findLast(({ atMs }) => atMs <= untilMs) ?? samples[0];
      const share = most === 0 || sample === undefined ? 0 : of(sample) / most;
      return steps[Math.ceil(Math.min(1, share) * (steps.length - 1))] ?? " ";
    });
    return `${padToWidth(name, label)}${cells.join("")}`.trimEnd();
  };
  return [
    line("succeeded", selected, (sample) => sample.succeeded),
    line("failed", failed, (sample) => sample.failed),
    line("in progress", mostInProgress, (sample) => sample.inProgress),
    `${" ".repeat(label)}0${hours(tookMs).padStart(columns - 1)}`,
  ];
}

function eventText(event: RolloutEvent): string {
  switch (event.event) {
    case "phase": {
      const { to } = event;
      return `${to.state}${"reason" in to && to.reason !== "" ? `: ${to.reason}` : ""}`;
    }
    case "wave.started":
      return `wave ${event.wave} begins: ${counted(event.size, "node")}`;
    case "wave.passed":
      return `wave ${event.wave} has passed: ${event.succeeded} succeeded`;
    case "model.held":
      return `${event.model} is held: ${event.failed} failed`;
  }
}

function hoursOr(ms: number | null): string {
  return ms === null ? "-" : hours(ms);
}

/** `3d 04h`, `2h 15m`. */
function hours(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  const [days, hour, minute] = [
    Math.floor(minutes / 1440),
    Math.floor(minutes / 60) % 24,
    minutes % 60,
  ];
  const two = (number: number) => String(number).padStart(2, "0");
  return days > 0 ? `${days}d ${two(hour)}h` : `${hour}h ${two(minute)}m`;
}
