import { describeFault, Fault, isFault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { Files, Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import { startWatch } from "#core/stopwatch.ts";
import { type Candidate, chooseDatasources } from "./choose.ts";
import { readDisabledPolicy } from "./cloud-init-settings.ts";
import { addCredentialSecrets, credentials } from "./credentials.ts";
import type { Datasource, DatasourceContent, Detection, ReadTools } from "./datasource.ts";
import { keepAnswers } from "./keep-answers.ts";
import { keepDisks } from "./keep-disks.ts";
import { readKernelArguments } from "./kernel-command-line.ts";
import { chooseNetwork, type NetworkPlace } from "./network/choose-network.ts";
import { searchOf, withSearch } from "./search.ts";
import { datasources as known } from "./table.ts";

/** How to look for the datasource. */
export interface DiscoverOptions {
  /** Names that may be used, in order; all that are known when `undefined`. */
  readonly datasources: readonly string[] | undefined;
  readonly log: Log;
  /** What this node was made from; absent before its first commit. */
  readonly pinned?: PinnedDatasource | undefined;
  /** Who may say the network, in order; as cloud-init has it for the datasource when absent. */
  readonly networkPlaces?: readonly NetworkPlace[] | undefined;
  /** What reading may use beside the machine; without it nothing is read over a network. */
  readonly tools?: ReadTools;
  /** Told the name of a datasource that is there but cannot be used, before its fault is thrown. */
  readonly broken?: (datasource: string) => void;
  /** For tests: the datasources that are known. */
  readonly table?: readonly Datasource[];
}

/** The datasource that a node was made from, as far as looking for one needs it. */
export interface PinnedDatasource {
  readonly datasource: string;
  readonly identity: string;
  /** Whether one that was found may change the node in its place, by policy. */
  readonly yieldsTo: (found: Detection) => boolean;
}

/** One datasource that was looked for. */
export interface Attempt {
  readonly name: string;
  /** `passed` is one that was found after the one that is used. */
  readonly result: "used" | "passed" | "absent" | "broken" | "unknown";
  /** Where it was found, `null` when it was not. */
  readonly place: string | null;
  /** What was looked at, one observation each; for a broken one what is wrong. */
  readonly evidence: readonly string[];
  /** How long it was looked for, and read where it was. */
  readonly ms: number;
}

/** What was found, or that the owner has switched firstlight off. */
export type Discovery =
  | {
      readonly kind: "found";
      readonly content: DatasourceContent;
      readonly attempts: readonly Attempt[];
    }
  | { readonly kind: "disabled"; readonly by: string; readonly attempts: readonly Attempt[] };

const switchFiles = ["/etc/firstlight/disabled", "/etc/cloud/cloud-init.disabled"];
const switchArguments = ["firstlight=disabled", "cloud-init=disabled"];

/**
 * Finds the datasource of this machine and reads it. All are detected, in order; the first is read, but
 * the one that the node is pinned to comes before any that could not change it anyway: a disk that
 * somebody plugs in does not keep a node from its own cloud. Throws `datasource/none` when there is none, and the fault of the first that is there but broken:
 * another one never steps in for it. One that only the hypervisor can tell of is asked in its turn.
 */
export async function discover(io: Io, options: DiscoverOptions): Promise<Discovery> {
  const { log } = options;
  const by = findSwitch(io.files);
  if (by !== undefined) {
    log.info("discover.disabled", { by });
    return { kind: "disabled", by, attempts: [] };
  }
  const tries = inOrder(detectAll(io, options), options.pinned);
  for (const { attempt } of tries) {
    log.debug("discover.tried", {
      datasource: attempt.name,
      result: attempt.result,
      evidence: attempt.evidence.join("; "),
    });
  }
  const settled = [...tries];
  const { content: read, used } = await readFirst(io, settled, options).catch((error) => {
    const tried = settled.map(({ attempt }) => attempt);
    throw withSearch(error, tried);
  });
  const attempts = settled.map((tried) =>
    tried === used ? { ...tried.attempt, result: "used" as const } : tried.attempt,
  );
  const takesSecrets = used.found.datasource !== credentials && tries.some(isCredentials);
  const whole = takesSecrets ? await addCredentialSecrets(io, read) : read;
  const content = chooseNetwork(io.files, whole, options.networkPlaces);
  if (content.network !== undefined) log.info("discover.network", { by: content.network.document });
  const findings = [
    ...content.findings,
    ...findLeftOut(used.found.detection),
    ...settled.flatMap((tried) => (tried === used ? [] : findingOf(tried, used, options.pinned))),
  ];
  const search = searchOf(attempts, content.attempts, content.unrecorded);
  return { kind: "found", content: { ...content, findings, search }, attempts };
}

function detectAll(io: Io, options: DiscoverOptions): readonly Try[] {
  const { files, close } = keepDisks(keepAnswers(io.files));
  try {
    const { table = known, datasources } = options;
    const candidates = chooseDatasources(files, table, datasources);
    const tries = candidates.map((candidate) => detect({ ...io, files }, candidate));
    return tries.map((tried) => preferPinned(tried, options.pinned));
  } finally {
    close();
  }
}

/** Of several places of the pinned datasource the pinned ones count, where policy does not let others in. */
function preferPinned(tried: Try, pinned: PinnedDatasource | undefined): Try {
  const { attempt, found } = tried;
  if (found === undefined || pinned === undefined || attempt.name !== pinned.datasource)
    return tried;
  const { datasource, detection } = found;
  if (pinned.yieldsTo(detection)) return tried;
  const preferred = datasource.preferring?.(detection, pinned.identity) ?? detection;
  return {
    attempt: { ...attempt, place: preferred.place },
    found: { datasource, detection: preferred },
  };
}

function inOrder(tries: readonly Try[], pinned: PinnedDatasource | undefined): readonly Try[] {
  const own = tries.find((tried) => isPinned(tried, pinned));
  if (pinned === undefined || own === undefined) return tries;
  const isBefore = ({ found }: Try) => found !== undefined && pinned.yieldsTo(found.detection);
  const before = tries.slice(0, tries.indexOf(own)).filter(isBefore);
  const rest = tries.filter((tried) => tried !== own && !before.includes(tried));
  return [...before, own, ...rest];
}

function isPinned({ found, attempt }: Try, pinned: PinnedDatasource | undefined): boolean {
  if (found === undefined || attempt.name !== pinned?.datasource) return false;
  const { identity, tentative = false } = found.detection;
  return tentative || identity === pinned.identity;
}

/**
 * Reads the first that is there, and notes in `tries` what came of each: one that files left open and that
 * is not there after all is absent. Throws as {@link discover}.
 */
async function readFirst(
  io: Io,
  tries: Try[],
  { log, tools, broken = () => {} }: Pick<DiscoverOptions, "log" | "tools" | "broken">,
): Promise<{ readonly content: DatasourceContent; readonly used: Used }> {
  for (const [index, tried] of tries.entries()) {
    const { attempt, found, fault } = tried;
    if (fault !== undefined) {
      broken(attempt.name);
      throw fault;
    }
    if (found === undefined) continue;
    const { datasource, detection } = found;
    const tell = () =>
      log.info("discover.found", { datasource: attempt.name, place: detection.place });
    if (detection.tentative !== true) tell();
    const elapsed = startWatch(io.clock, attempt.ms);
    const inAll = () => ({ ...attempt, ms: elapsed() });
    try {
      const content = await datasource.read(io, detection, tools);
      if (detection.tentative === true) tell();
      const used = { attempt: inAll(), found };
      tries[index] = used;
      return { content, used };
    } catch (error) {
      const evidence = [...attempt.evidence, describeFault(error).message];
      if (detection.tentative !== true || !isFault(error, "datasource/none")) {
        tries[index] = { attempt: { ...inAll(), result: "broken", evidence } };
        broken(attempt.name);
        throw error;
      }
      tries[index] = { attempt: { ...inAll(), result: "absent", place: null, evidence } };
    }
  }
  throw none(tries.map(({ attempt }) => attempt));
}

interface Try {
  readonly attempt: Attempt;
  readonly found?: { readonly datasource: Datasource; readonly detection: Detection };
  readonly fault?: Fault;
}

type Used = Try & Required<Pick<Try, "found">>;

/** Whether credentials are among what may be used. */
function isCredentials({ attempt }: Try): boolean {
  return attempt.name === credentials.name;
}

function detect(io: Io, { datasource, forcedBy }: Candidate): Try {
  if (typeof datasource === "string") {
    const nothing = { place: null, evidence: [], ms: 0 };
    return { attempt: { name: datasource, result: "unknown", ...nothing } };
  }
  const { name } = datasource;
  const evidence: string[] = [];
  const elapsed = startWatch(io.clock);
  try {
    const detection =
      datasource.detect(io, (observation) => evidence.push(observation)) ??
      (forcedBy === undefined ? undefined : datasource.force?.(forcedBy));
    const ms = elapsed();
    if (detection === undefined)
      return { attempt: { name, result: "absent", place: null, evidence, ms } };
    return {
      attempt: { name, result: "passed", place: detection.place, evidence: detection.evidence, ms },
      found: { datasource, detection },
    };
  } catch (error) {
    if (!isFault(error)) throw error;
    const seen = [...evidence, error.message];
    return {
      attempt: { name, result: "broken", place: null, evidence: seen, ms: elapsed() },
      fault: error,
    };
  }
}

/** What switches firstlight off on this machine, or `undefined`: a file, or a word for the kernel. */
export function findSwitch(files: Files): string | undefined {
  const file = switchFiles.find((path) => files.stat(path) !== undefined);
  if (file !== undefined) return file;
  const given = readKernelArguments(files);
  const argument = switchArguments.find((word) => given.includes(word));
  return argument === undefined ? readDisabledPolicy(files) : `kernel command line: ${argument}`;
}

function none(attempts: readonly Attempt[]): Fault {
  const seen = attempts.filter(
    ({ result, evidence }) => result === "unknown" || evidence.length > 0,
  );
  const described = seen.map(({ name, result, evidence }) =>
    result === "unknown" ? `${name} (no such datasource)` : `${name} (${evidence.join("; ")})`,
  );
  const others = attempts.filter((attempt) => !seen.includes(attempt)).map(({ name }) => name);
  if (others.length > 0) described.push(`${others.join(", ")} (nothing of it was found)`);
  return new Fault(
    "datasource/none",
    `no datasource: looked for ${described.join(", ") || "none, the settings name none"}`,
  );
}

/** A note for each place that would be read as well, were the node not pinned to others. */
function findLeftOut({ place: pinned, leftOut = [] }: Detection): readonly Finding[] {
  return leftOut.map(({ place }) => ({
    document: place,
    path: "",
    line: null,
    column: null,
    level: "note",
    code: "datasource/several",
    message: `not read: this node is pinned to ${pinned}`,
    hint: "remove it, or let it in (`policy` of the settings)",
  }));
}

function findingOf(
  { attempt, found }: Try,
  used: Used,
  pinned: PinnedDatasource | undefined,
): readonly Finding[] {
  const about = {
    document: attempt.name,
    path: "",
    line: null,
    column: null,
    level: "warning",
  } as const;
  const hint = "name the datasources that are meant in the settings (`datasources`)";
  switch (attempt.result) {
    case "used":
    case "absent":
      return [];
    case "passed": {
      if (found?.detection.tentative === true) return []; // nobody asked
      // A cloud may bring a disk beside its service, and says the same by both.
      const { datasource } = used.found;
      const isOfCloud = found?.datasource.needs !== "disk" && datasource.needs === "disk";
      const why = isPinned(used, pinned) ? "is what this node is pinned to" : "comes first";
      return [
        {
          ...about,
          level: isOfCloud || isPinned(used, pinned) ? "note" : "warning",
          code: "datasource/several",
          message: `found at ${attempt.place}, not used: ${datasource.name} ${why}`,
          hint,
        },
      ];
    }
    case "broken":
      return [
        {
          ...about,
          code: "datasource/unusable",
          message: `passed over: ${attempt.evidence.at(-1)}`,
          hint,
        },
      ];
    case "unknown":
      return [
        {
          ...about,
          code: "datasource/unknown",
          message: "no such datasource",
          hint: "correct the name, as docs/datasources.md spells it",
        },
      ];
  }
}
