import { prettyJson } from "#core/canonical-json.ts";
import { Fault, isFault } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";
import type { Secret } from "#core/secret.ts";
import { readMounts } from "#provisioner/render/mount-table.ts";
import { checkApproval, type FoundDisk } from "./approval.ts";
import type { DiskReport } from "./disk-report.ts";
import { type InstallJournal, journalFile, openInstallJournal } from "./install-journal.ts";
import { leaveTarget } from "./leave-target.ts";
import { performStep } from "./perform-step.ts";
import type { InstallPlan } from "./plan.ts";
import { type InstallStep, journalPlace, type StepAction, target } from "./steps.ts";

/** What an installation works with. */
export interface ApplyOptions {
  readonly io: Io;
  readonly plan: InstallPlan;
  /** Asks every witness anew. */
  readonly readReport: () => Promise<DiskReport>;
  readonly passphrase: Secret<string> | null;
  readonly tell: (event: ApplyEvent) => void;
  readonly signal?: AbortSignal;
}

export interface ApplyEvent {
  readonly step: InstallStep;
  readonly is: "begun" | "done" | "known";
}

/** How it ended. */
export interface Applied {
  readonly plan: string;
  /** Whether an earlier start had begun it. */
  readonly resumed: boolean;
  /** Steps that were done now. */
  readonly done: number;
}

const finished = "finished";

/**
 * Does exactly what the plan says. Killed or without power at any point, the next call with the same
 * plan goes on: what the journal on the ESP calls done is not done again, what was begun is. The disks
 * are held against the approval before the first write. Throws the fault of the step that failed.
 */
export async function applyPlan(options: ApplyOptions): Promise<Applied> {
  const { io, plan, passphrase } = options;
  if (passphrase === null && plan.steps.some(({ action }) => needsPassphrase(action)))
    throw new Fault("install/no-passphrase", `the layout ${plan.layout.name} is encrypted`);
  await checkPrograms(io, plan);
  await leaveTarget(io, plan.layout);
  const report = await options.readReport();
  const found = checkApproval(report, plan.disks, plan.request);
  let journal =
    plan.layout.kept === true
      ? await openKeptJournal(options)
      : found.includes("begun")
        ? await findJournal(options, report, found)
        : undefined;
  const resumed = journal !== undefined && (plan.layout.kept !== true || journal.done.size > 0);
  if (journal?.done.has(finished) === true) {
    await leaveTarget(io, plan.layout);
    throw new Fault(
      "install/done-already",
      `plan ${plan.digest.slice(0, 12)} was installed to its end`,
    );
  }
  let done = 0;
  for (const step of plan.steps) {
    options.signal?.throwIfAborted();
    if (isKnown(io.files, plan, step, journal)) {
      options.tell({ step, is: "known" });
      continue;
    }
    options.tell({ step, is: "begun" });
    journal?.begin(step.id);
    await performStep(options, step);
    journal?.end(step.id);
    if (step.id === "journal") journal ??= openInstallJournal(io, plan.digest);
    done += 1;
    options.tell({ step, is: "done" });
  }
  // Of the installed system: what it was made by.
  io.files.write(`${target}/var/lib/firstlight/install.json`, prettyJson(plan), { mode: 0o600 });
  journal?.begin(finished);
  journal?.end(finished);
  await leaveTarget(io, plan.layout);
  return { plan: plan.digest, resumed, done };
}

/** Whether nothing is left to do of a step: by the journal, or by what the machine shows. */
function isKnown(
  files: Files,
  plan: InstallPlan,
  step: InstallStep,
  journal: InstallJournal | undefined,
): boolean {
  const { again, group } = step;
  if (again !== undefined) {
    if (again.until === "exists") return files.stat(again.path) !== undefined;
    if (again.until === "mounted") return readMounts(files).some(({ path }) => path === again.path);
    return false;
  }
  if (journal === undefined) return false;
  // A journal on the ESP of this table was begun when all before it was done, whatever it says.
  const place = plan.steps.findIndex(({ id }) => id === "journal");
  if (plan.steps.indexOf(step) < place) return true;
  const all = group === undefined ? [step] : plan.steps.filter((each) => each.group === group);
  return all.every(({ id }) => journal.done.has(id));
}

/** Steps that lead to the journal. */
function isOnTheWay({ id }: InstallStep): boolean {
  return ["settle", "journal-directory", "journal"].includes(id);
}

/** Where the ESP is kept, the journal is on it from the first step on. */
async function openKeptJournal(options: ApplyOptions): Promise<InstallJournal> {
  for (const step of options.plan.steps.filter(isOnTheWay)) await performStep(options, step);
  return openInstallJournal(options.io, options.plan.digest);
}

/** The journal that an earlier start left on the ESP; none where nothing but the table was made. */
async function findJournal(
  options: ApplyOptions,
  report: DiskReport,
  found: readonly FoundDisk[],
): Promise<InstallJournal | undefined> {
  const { io, plan } = options;
  const esp = plan.layout.fileSystems.find(({ type }) => type === "vfat");
  const contents = plan.disks.map(({ id }) => report.content[report.links[id] ?? ""]);
  const holdingsOf = (uuid: string) =>
    contents.flatMap((content) => {
      const entry = content?.table.entries.find((each) => each.uuid === uuid);
      return entry === undefined ? [] : (content?.partitions[String(entry.number)] ?? []);
    });
  const espPartition = esp !== undefined && "partition" in esp.on ? esp.on.partition : "";
  const isWhole = found.every((each) => each === "begun");
  if (isWhole && holdingsOf(espPartition).includes("vfat")) {
    for (const step of plan.steps.filter(isOnTheWay)) await performStep(options, step);
    if (io.files.stat(journalFile) !== undefined) return openInstallJournal(io, plan.digest);
    await leaveTarget(io, plan.layout);
  }
  const partitions = plan.layout.disks.flatMap((disk) => disk.partitions);
  const held = partitions.filter(({ uuid, role }) => role !== "esp" && holdingsOf(uuid).length > 0);
  if (held.length === 0) return undefined;
  throw new Fault(
    "install/half-made",
    `${held.map(({ name }) => name).join(", ")}: something stands there, and ${journalPlace} has no journal of it`,
  );
}

function needsPassphrase(action: StepAction): boolean {
  return action.kind === "run" && action.input !== undefined && "secret" in action.input;
}

/** Every program is there before the first of them writes. */
async function checkPrograms(io: Io, plan: InstallPlan): Promise<void> {
  const programs = new Set(
    plan.steps.flatMap(({ action }) => (action.kind === "run" ? [action.argv[0]] : [])),
  );
  const missing: string[] = [];
  for (const file of [...programs].sort()) {
    try {
      await io.exec({ file, args: ["--version"], timeoutMs: 30_000 });
    } catch (error) {
      if (!isFault(error, "exec/not-found")) throw error;
      missing.push(file);
    }
  }
  if (missing.length > 0)
    throw new Fault(
      "exec/not-found",
      `not on the PATH: ${missing.join(", ")}; nothing was written`,
    );
}
