import type { Io } from "#core/io.ts";
import type { Disagreement, FactsReport, Gap } from "#generated/agent/facts/facts-report.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { kernelTestimony } from "./kernel-testimony.ts";
import { readFacts } from "./read-facts.ts";
import { readWitness } from "./witness.ts";
import { dmidecode } from "./witnesses/dmidecode.ts";
import { ip } from "./witnesses/ip.ts";
import { lsblk } from "./witnesses/lsblk.ts";
import { lscpu } from "./witnesses/lscpu.ts";
import { lspci } from "./witnesses/lspci.ts";
import { isKnownFault, libraryCalls, libraryTestimony } from "./witnesses/systeminformation.ts";
import { type Asked, askTool, type FactValue, type Testimony } from "./witnesses/witness-tool.ts";

/** Tools that are asked, each in a process of its own. */
export const witnessTools = [lspci, dmidecode, lsblk, lscpu, ip] as const;

// All are asked at once, and nobody is waited for longer than two seconds: a tool says in tens of
// milliseconds what it has to say, the library takes Node's start and some shells longer.
const toolMs = 1_500;
const libraryMs = 1_700;
const graceMs = 200;

/** How the report is made. */
export interface ReportOptions {
  /** The program and its arguments that run the library: this program with a hidden command. */
  readonly argv: readonly string[];
  readonly signal?: AbortSignal;
}

/**
 * The facts, and what everybody else says of them: five tools and systeminformation, all at once, each
 * with a deadline of its own. Never throws: who cannot be asked is a gap. They look at this host,
 * whatever the root of `io` is.
 */
export async function readFactsReport(io: Io, options: ReportOptions): Promise<FactsReport> {
  const started = io.clock.monotonicMs();
  const facts = readFacts(io);
  const kernelMs = Math.round(io.clock.monotonicMs() - started);
  const { signal } = options;
  const patience = { timeoutMs: toolMs, graceMs, ...(signal === undefined ? {} : { signal }) };
  const asked = await Promise.all([
    askLibrary(io, options),
    ...witnessTools.map((tool) => askTool(io, tool, patience)),
  ]);
  const ms = Object.fromEntries(asked.map((each) => [each.by, each.ms]));
  return {
    v: 1,
    facts,
    ...compare(facts, asked),
    gaps: [...kernelGaps(facts), ...asked.flatMap(({ gaps }) => gaps)].slice(0, 256),
    ms: { ...ms, kernel: kernelMs, total: Math.round(io.clock.monotonicMs() - started) },
  };
}

async function askLibrary(io: Io, { argv, signal }: ReportOptions): Promise<Asked> {
  const witness = await readWitness(io, {
    argv,
    calls: libraryCalls,
    timeoutMs: libraryMs,
    graceMs,
    ...(signal === undefined ? {} : { signal }),
  });
  return {
    by: "systeminformation",
    from: "systeminformation, in a process of its own",
    testimony: libraryTestimony(witness.readings),
    gaps: witness.failures.map(({ call, why, message }) => ({
      by: "systeminformation",
      what: call,
      why: why === "tool-missing" ? "missing" : why,
      message: message.slice(0, 512),
    })),
    ms: witness.ms,
  };
}

/** What the kernel shows and was not understood is a gap of the facts themselves. */
function kernelGaps({ unread }: Facts): Gap[] {
  return unread.map(({ path, why }) => ({
    by: "kernel",
    what: path,
    why,
    message: `${path}: ${why === "denied" ? "only root may read it" : "not understood whole"}`,
  }));
}

type Statement = FactsReport["sources"][string][number];

function compare(
  facts: Facts,
  asked: readonly Asked[],
): Pick<FactsReport, "sources" | "disagreements"> {
  const kernel = kernelTestimony(facts);
  const sources = new Map<string, Statement[]>();
  for (const [place, { from, value }] of kernel)
    sources.set(place, [{ by: "kernel", from, value }]);
  const differing = new Map<string, Statement[]>();
  for (const { by, from, testimony } of asked) {
    if (testimony === null) continue;
    for (const [place, value] of withAbsences(facts, testimony)) {
      const said: Statement = { by, from, value };
      const known = kernel.get(place);
      sources.set(place, [...(sources.get(place) ?? []), said]);
      if (isSame(place, known?.value ?? null, said)) continue;
      const first: Statement = {
        by: "kernel",
        from: known?.from ?? "",
        value: known?.value ?? null,
      };
      differing.set(place, [...(differing.get(place) ?? [first]), said]);
    }
  }
  const disagreements: Disagreement[] = [...differing]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([fact, said]) => ({ fact, said }));
  return { sources: Object.fromEntries(sources), disagreements: disagreements.slice(0, 4096) };
}

/** What is said, and of lists that are known whole that there is no such item. */
function withAbsences(facts: Facts, testimony: Testimony): ReadonlyMap<string, FactValue> {
  const values = new Map(testimony.values);
  const names: Readonly<Record<Testimony["whole"][number], readonly string[]>> = {
    pci: (facts.pci ?? []).map(({ slot }) => `pci[${slot}].slot`),
    // A reader of cards without one is a disk of no size, and lsblk leaves it out.
    blockDevices: (facts.blockDevices ?? [])
      .filter(({ sizeBytes }) => sizeBytes !== null && sizeBytes > 0)
      .map(({ name }) => `blockDevices[${name}].name`),
    network: (facts.network ?? [])
      .filter(({ physical }) => physical)
      .map(({ name }) => `network[${name}].name`),
  };
  for (const place of testimony.whole.flatMap((list) => names[list]))
    if (!values.has(place)) values.set(place, null);
  return values;
}

/** An item of a list, by what it is told apart by: there it counts that one says nothing. */
function isPresence(place: string): boolean {
  return /\]\.(slot|name)$/.test(place);
}

function isSame(place: string, kernel: FactValue, said: Statement): boolean {
  if (isKnownFault(place, kernel, said)) return true;
  if (kernel === null || said.value === null) return kernel === said.value || !isPresence(place);
  return normal(kernel) === normal(said.value);
}

/** Tools write dots for letters beyond ASCII, and spaces as they like. */
function normal(value: FactValue): FactValue {
  return typeof value === "string"
    ? value
        .replaceAll(/[^ -~]/gu, ".")
        .replaceAll(/\s+/g, " ")
        .trim()
    : value;
}
