import { type CommandRun, carryOutCommands } from "#agent/commands/carry-out.ts";
import type { CommandDeps } from "#agent/commands/executor.ts";
import { gatherDiagnostics } from "#agent/commands/gather-diagnostics.ts";
import { releaseChecker } from "#agent/commands/release-checker.ts";
import { driftSettings } from "#agent/drift-settings.ts";
import { readEnrolState } from "#agent/enroll/enrol-state.ts";
import { readNodeAddress } from "#agent/report-settings.ts";
import { rollBackTo } from "#agent/roll-back.ts";
import { readSettings } from "#agent/settings.ts";
import { isClockSet } from "#agent/update/clock-set.ts";
import { commandLock } from "#agent/update/places.ts";
import { trustedStore } from "#agent/update/trusted-store.ts";
import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Settings } from "#generated/agent/settings.ts";
import { knownNowMs } from "#protocol/trust/time.ts";
import type { Courier } from "#provisioner/system/fetch/courier.ts";
import { hostProcesses, openLock } from "#provisioner/system/lock.ts";
import type { Invocation } from "./command.ts";
import { downloadCourier } from "./courier.ts";
import { lookForDrift } from "./drift-look.ts";
import { nodeProbe, openSystem } from "./node.ts";
import { bootOutbox } from "./outbox.ts";
import { version } from "./version.ts";

/** How often a ping is looked for while something else takes long. */
const lookMs = 500;
const uploadAnswerMs = 60_000;
const uploadMs = 300_000;

/** Carries out what the fleet has told this machine to do. Throws `system/locked` where another process does. */
export async function carryOut(invocation: Invocation): Promise<CommandRun> {
  const { io } = invocation;
  const lock = openLock(io, commandLock, hostProcesses());
  lock.acquire();
  try {
    const settings = await readSettings(io.files);
    const rootFile = settings.fleet?.root;
    return await carryOutCommands(await commandDeps(invocation, settings), {
      nowMs: () => knownMs(io, rootFile),
      untilLook: (signal) => io.clock.sleep(lookMs, signal).catch(() => {}),
    });
  } finally {
    lock.release();
  }
}

/** By the clock, and never before what was signed last. */
function knownMs(io: Io, rootFile: string | undefined): number {
  const nowMs = io.clock.now();
  try {
    const { trusted } = trustedStore(io, rootFile).read();
    return knownNowMs(trusted, { nowMs, clockTrusted: isClockSet(io.files) });
  } catch {
    return nowMs; // nothing is believed any more, and what was taken expires all the same
  }
}

async function commandDeps(invocation: Invocation, settings: Settings): Promise<CommandDeps> {
  const { io, log, signal } = invocation;
  const system = await openSystem(invocation);
  const rootFile = settings.fleet?.root;
  const probe = nodeProbe(invocation);

  return {
    ...{ io, log, system, version, signal },
    startUpdate: () => startUpdate(io),
    checkRelease: releaseChecker(io, rootFile),
    rollBack: async (generation) => {
      const { report, flush } = bootOutbox(invocation, system);
      const deps = { io, log, system, probe, signal, report, version };
      return rollBackTo(deps, generation).finally(flush);
    },
    lookForDrift: async (deep) => {
      const { share } = driftSettings(settings);
      return (await lookForDrift(invocation, { deep, repair: false, share })).report;
    },
    credential: () => readEnrolState(io.files)?.current?.fingerprint,
    renew: () => renew(invocation, settings),
    diagnostics: () => {
      const node = readNodeAddress(io.files, settings);
      const trust = { node, ...(rootFile === undefined ? {} : { rootFile }) };
      return gatherDiagnostics({ io, system, version, trust });
    },
    uploadHosts: settings.fleet?.diagnostics?.uploadTo ?? [],
    upload: (url, text) =>
      upload(invocation, { url, text, courier: downloadCourier(io, settings) }),
  };
}

/** By the unit that does it anyway; without systemd whoever started this starts that too. */
async function startUpdate(io: Io): Promise<void> {
  if (io.files.stat("/run/systemd/system")?.kind !== "directory") return;
  const { code, stderr } = await io.exec({
    file: "systemctl",
    args: ["start", "--no-block", "firstlight-update.service"],
    timeoutMs: 60_000,
    effect: "start the update",
  });
  if (code === 0) return;
  throw new Fault("command/failed", `systemctl start: ${stderr.trim() || `exit code ${code}`}`);
}

async function renew(invocation: Invocation, settings: Settings) {
  const { openEnrolAttempt } = await import("./enrolment.ts");
  const outcome = await (await openEnrolAttempt(invocation, settings, { renews: true }))();
  if (outcome.kind === "refused") throw outcome.fault;
  if (outcome.kind === "pending")
    throw new Fault("enroll/pending", `a person has not approved ${outcome.code} yet`);
  const fingerprint = readEnrolState(invocation.io.files)?.current?.fingerprint ?? "";
  return { fingerprint, untilMs: outcome.untilMs };
}

interface Upload {
  readonly url: string;
  readonly text: string;
  readonly courier: Courier;
}

async function upload(
  { signal }: Pick<Invocation, "signal">,
  { url, text, courier }: Upload,
): Promise<void> {
  const ends = AbortSignal.any([signal, AbortSignal.timeout(uploadMs)]);
  const failed = (why: string) =>
    new Fault("command/upload-failed", `${new URL(url).origin}: ${why}`);
  try {
    const headers = { "content-type": "application/json" };
    const answer = await courier.open({
      ...{ url, offset: 0, answerMs: uploadAnswerMs, signal: ends },
      send: { method: "PUT", headers, body: text },
    });
    answer.close();
    if (answer.status < 200 || answer.status > 299) throw failed(`status ${answer.status}`);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Fault) throw error;
    throw failed((error as Error).message);
  }
}
