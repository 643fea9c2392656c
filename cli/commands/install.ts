import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { defaultUserName } from "#agent/default-user.ts";
import { exitCodes } from "#agent/outcome.ts";
import { formatBytes } from "#core/bytes.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { Secret } from "#core/secret.ts";
import { applyPlan } from "#provisioner/install/apply.ts";
import { chooseDisk } from "#provisioner/install/choose-disk.ts";
import type { DiskReport } from "#provisioner/install/disk-report.ts";
import { readPlan } from "#provisioner/install/plan.ts";
import { installPlanText } from "#provisioner/install/plan-text.ts";
import { readDiskReport } from "#provisioner/install/read-disk-report.ts";
import { hostProcesses, openLock } from "#provisioner/system/lock.ts";
import { systemPaths } from "#provisioner/system/paths.ts";
import type { Documents } from "#provisioner/userdata/translate.ts";
import type { RawDocument } from "#provisioner/userdata/translation.ts";
import { type Command, type Flags, type Invocation, textFlag } from "../command.ts";
import { planInstallation, thisMachine } from "../install-plan.ts";
import { readInput } from "../read-input.ts";
import { translateHere } from "../translate-away.ts";

const verbs = ["disks", "plan", "apply"] as const;

/** `firstlight install` */
export const command: Command = {
  usage:
    "install disks [--json]\n  | plan [--disk ID]… [--layout NAME] [--file-system NAME] [--swap NAME] [--home partition | --keep-home] [--seed DIR] [--facts F] [--disks F]\n    [--system PATH] [--state-version NN.MM] [--out FILE] [--json]\n  | apply PLAN --passphrase-file FILE",
  summary:
    "Install this machine: choose the disk, lay it out, and say every step before any is done.",
  help: [
    "disks says which disk would be taken, and what speaks against every other one; --json is what `plan --disks` reads.",
    "plan says everything that would be done, and does nothing. A disk is taken unasked only where it is the only one",
    "that is empty, built in and known by a name of its own; --disk names one below /dev/disk/by-id that may be erased.",
    "Layouts: encrypted, plain, mirror (two disks), edge (the root in memory). File systems: ext4, btrfs, xfs.",
    "Swap: memory (for hibernation), zram, none. What is not said the profile of the machine decides.",
    "--keep-home makes everything anew on a disk that was installed with --home partition, but for /home.",
    "--seed is a directory as NoCloud has it; --out saves the plan, which has no secret in it.",
    "--facts and --disks plan for another machine, from what it said.",
    "apply does what a saved plan says, and nothing else. The disk must be the one that was shown, with the same on it.",
    "Where it was killed or the power went, the same command goes on. The passphrase is the first line of a file, or",
    "of the standard input with -.",
  ].join("\n"),
  options: {
    disk: { type: "string", multiple: true },
    ...{ layout: { type: "string" }, "file-system": { type: "string" }, swap: { type: "string" } },
    "keep-home": { type: "boolean" },
    ...{ home: { type: "string" }, seed: { type: "string" }, facts: { type: "string" } },
    ...{ disks: { type: "string" }, system: { type: "string" }, out: { type: "string" } },
    ...{ "state-version": { type: "string" }, "passphrase-file": { type: "string" } },
  },
  arity: [1, 2],
  async run(invocation) {
    const [verb = "", file] = invocation.args;
    if (verb !== "apply" && file !== undefined)
      throw new Fault("cli/usage", `install ${verb}: expected no file, got ${file}`);
    switch (verb) {
      case "disks":
        return showDisks(invocation);
      case "plan":
        return showPlan(invocation);
      case "apply":
        return applySaved(invocation, file);
      default:
        throw new Fault("cli/usage", `install: expected ${verbs.join(", ")}, got ${verb}`);
    }
  },
};

async function showDisks({ io, json, out }: Invocation): Promise<number> {
  const { facts } = await thisMachine(io);
  const report = await readDiskReport(io, facts.blockDevices);
  if (json) {
    out.data(prettyJson(report));
    return exitCodes.done;
  }
  const choice = chooseDisk(report, { named: [], count: 1, transports: null, minBytes: 0 });
  for (const { id, name, sizeBytes, model, refusals } of choice.verdicts) {
    const size = sizeBytes === null ? "size unknown" : formatBytes(sizeBytes);
    const verdict = refusals.length === 0 ? "may be taken" : "is not taken unasked";
    out.data(`${id ?? name}: ${model ?? "unknown model"}, ${size}: ${verdict}`);
    for (const { code, message } of refusals) out.data(`  ${message} [${code}]`);
  }
  for (const { witness, why } of report.unheard) out.talk(`${witness}: ${why}`);
  if (choice.kind === "refused") out.talk(`${choice.message} [${choice.code}]\n  ${choice.hint}`);
  return exitCodes.done;
}

async function showPlan(invocation: Invocation): Promise<number> {
  const { io, flags, json, out, signal } = invocation;
  const here = await thisMachine(io);
  const factsFile = textFlag(flags, "facts");
  const facts =
    factsFile === undefined
      ? here.facts
      : await (await import("../facts-file.ts")).readFactsFile(factsFile, signal);
  const plan = await planInstallation({
    ...{
      io,
      facts,
      profiles: here.profiles,
      report: await reportOf(invocation, facts.blockDevices),
    },
    asked: {
      layout: textFlag(flags, "layout"),
      fileSystem: textFlag(flags, "file-system"),
      ...{ swap: textFlag(flags, "swap"), home: textFlag(flags, "home") },
      keepHome: flags["keep-home"] === true,
    },
    named: namedDisks(flags),
    documents: await readSeed(textFlag(flags, "seed"), signal),
    translate: (documents) =>
      translateHere(io, documents, {
        ...{ hostname: null, publicKeys: [], secrets: new Map(), signers: [] },
        ...{ defaultUser: defaultUserName },
      }),
    ...{ toplevel: textFlag(flags, "system"), stateVersion: textFlag(flags, "state-version") },
    seed: io.random.uuid(),
  });
  const file = textFlag(flags, "out");
  if (file !== undefined) writeFileSync(file, prettyJson(plan));
  out.data(json ? prettyJson(plan) : installPlanText(plan).join("\n"));
  return exitCodes.done;
}

async function applySaved(invocation: Invocation, file: string | undefined): Promise<number> {
  const { io, flags, json, out, signal } = invocation;
  if (file === undefined)
    throw new Fault(
      "cli/usage",
      "install apply: expected the plan that `install plan --out` saved",
    );
  if (io.files.root !== "/")
    throw new Fault(
      "cli/usage",
      "install apply: writes to the disks of this machine, not of a --root",
    );
  const plan = readPlan(Buffer.from(await readInput(file, { signal })).toString("utf8"), file);
  // One process at a time changes a machine.
  const lock = openLock(io, systemPaths(io.env).lock, hostProcesses());
  lock.acquire();
  const applied = await applyPlan({
    ...{ io, plan, signal, passphrase: await readPassphrase(flags, signal) },
    readReport: async () => readDiskReport(io, (await thisMachine(io)).facts.blockDevices),
    tell: ({ step, is }) => {
      if (is !== "done") out.talk(is === "begun" ? step.does : `${step.does}: done before`);
    },
  }).finally(lock.release);
  out.data(
    json
      ? prettyJson({ v: 1, ...applied })
      : `installed plan ${applied.plan}${applied.resumed ? ", which an earlier start had begun" : ""}; restart the machine without the medium`,
  );
  return exitCodes.done;
}

/** The first line of a file; it goes to cryptsetup by a pipe, and nowhere else. */
async function readPassphrase(flags: Flags, signal: AbortSignal): Promise<Secret<string> | null> {
  const file = textFlag(flags, "passphrase-file");
  if (file === undefined) return null;
  const text = Buffer.from(await readInput(file, { signal, maxBytes: 64 * 1024 })).toString("utf8");
  const [line = ""] = text.split("\n");
  if (line !== "") return new Secret(line);
  throw new Fault("cli/bad-input", `${file}: expected a passphrase in its first line`);
}

async function reportOf(
  { io, flags, signal }: Invocation,
  disks: Parameters<typeof readDiskReport>[1],
): Promise<DiskReport> {
  const file = textFlag(flags, "disks");
  if (file === undefined) return readDiskReport(io, disks);
  const text = Buffer.from(await readInput(file, { signal })).toString("utf8");
  try {
    const report = JSON.parse(text) as DiskReport;
    if (report.v === 1 && Array.isArray(report.unheard) && typeof report.links === "object")
      return report;
  } catch (cause) {
    throw new Fault("cli/bad-input", `${file}: not JSON`, { cause });
  }
  throw new Fault(
    "cli/bad-input",
    `${file}: expected what \`firstlight install disks --json\` prints`,
  );
}

function namedDisks(flags: Flags): readonly string[] {
  const named = (flags as Readonly<Record<string, unknown>>)["disk"];
  return Array.isArray(named)
    ? named.map((each) => String(each).replace(/^\/dev\/disk\/by-id\//, ""))
    : [];
}

/** The documents of a directory as NoCloud has it; those that are not there are none. */
async function readSeed(directory: string | undefined, signal: AbortSignal): Promise<Documents> {
  if (directory === undefined) return {};
  const read = async (name: string): Promise<RawDocument | undefined> => {
    const file = path.join(directory, name);
    return existsSync(file)
      ? { document: file, bytes: await readInput(file, { signal }) }
      : undefined;
  };
  const documents = {
    userData: await read("user-data"),
    vendorData: await read("vendor-data"),
    networkConfig: await read("network-config"),
  };
  if (documents.userData === undefined)
    throw new Fault("cli/no-file", `${path.join(directory, "user-data")}: there is no such file`);
  return documents;
}
