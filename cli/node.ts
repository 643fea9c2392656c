import { type BootDeps, type Rendering, renderSystem } from "#agent/boot.ts";
import type { Stages } from "#agent/boot-stages.ts";
import { buildPolicy } from "#agent/build-policy.ts";
import type { DatasourceContent } from "#agent/datasources/datasource.ts";
import { discover } from "#agent/datasources/discover.ts";
import { readFacts } from "#agent/facts/read-facts.ts";
import { fetchSettings } from "#agent/fetch-settings.ts";
import { hostProbe, type Probe } from "#agent/health/probe.ts";
import { closureObtainer, type ObtainClosure } from "#agent/obtain-closure.ts";
import { openCredentialStore, shredCredentials } from "#agent/secrets/credential-store.ts";
import { readSettings } from "#agent/settings.ts";
import { durationMs } from "#core/duration.ts";
import { Fault } from "#core/fault.ts";
import { formatFinding } from "#core/finding.ts";
import type { Settings } from "#generated/agent/settings.ts";
import { appliedProfile } from "#provisioner/profiles/profile.ts";
import { decideBase, proposeBase, recordBase } from "#provisioner/render/decide-base.ts";
import { type SystemClient, systemClient } from "#provisioner/system/client.ts";
import { chooseDriver, type DriverName } from "#provisioner/system/driver-record.ts";
import type { ReleaseLimits } from "#provisioner/system/releases.ts";
import type { ChangeReason } from "#provisioner/system/system.ts";
import type { RebootPolicy } from "#provisioner/system/trial-way.ts";
import { findAssets } from "./assets.ts";
import { type Flags, type Invocation, textFlag } from "./command.ts";
import { version } from "./version.ts";

/** Flags of every command that works on the system. */
export const systemOptions = { driver: { type: "string" } } as const;

/** Of commands that may fetch a system instead of building it. */
export const fetchOptions = { fetch: { type: "string" } } as const;
/** Flags of a person who asks for a change. */
export const personOptions = { ...systemOptions, reboot: { type: "string" } } as const;

/** How this run differs from another. */
export interface NodeOptions {
  readonly by: "boot" | "apply";
  readonly approved: boolean;
  readonly system: SystemClient;
  /** Digest of the plan that was approved, if it was one. */
  readonly approvedPlan?: string | undefined;
  readonly report: BootDeps["report"];
}

/** Puts together everything that a boot needs on this machine. */
export async function nodeDeps(invocation: Invocation, options: NodeOptions): Promise<BootDeps> {
  const { io, log, signal } = invocation;
  const settings = await readSettings(io.files);
  const assets = findAssets();
  const profiles = await assets.profiles();
  return {
    io,
    log,
    settings,
    profiles,
    templates: await assets.templates(),
    parameterCheck: assets.parameterCheck,
    obtain: await openObtainer(invocation, { settings, system: options.system }),
    discover: () => findContent(invocation, settings.datasources),
    fetchSources: async (urls) =>
      (await import("#agent/fetch-sources.ts")).sourceFetcher(log)(urls),
    readFacts: () => readFacts(io),
    decideBase: ({ facts, match, mutableUsers }) =>
      decideBase({
        io,
        facts,
        profile: appliedProfile(match, profiles),
        mutableUsers,
        settings,
        agentModule: assets.agentModule(),
      }),
    proposeBase: (base, digest) => proposeBase(io, base, digest),
    recordBase: (digest) => recordBase(io, digest),
    openCredentials: () => openCredentialStore(io),
    probe: nodeProbe(invocation, settings),
    enrolled: io.files.stat("/var/lib/firstlight/trust/root.json") !== undefined,
    signal,
    version,
    ...options,
  };
}

/** Looks at the health of this machine. */
export function nodeProbe({ io, signal }: Invocation, settings: Settings): Probe {
  return hostProbe(io, {
    witness: async () => (await import("./witness.ts")).askWitness(io, signal),
    linkSettings: async () =>
      (await import("#agent/report-settings.ts")).loadLinkSettings(io, settings),
  });
}

/** How this run has its system: as the settings say, or by the manifest that `--fetch` names. */
async function openObtainer(
  { io, log, flags, signal }: Invocation,
  { settings, system }: { readonly settings: Settings; readonly system: SystemClient },
): Promise<ObtainClosure> {
  const file = textFlag(flags, "fetch");
  const signed =
    file === undefined
      ? undefined
      : Buffer.from(await (await import("./read-input.ts")).readInput(file, { signal })).toString();
  return closureObtainer({ io, log, settings, system, signed, signal });
}

/** The datasource of this machine, read. Throws `datasource/none`, `datasource/disabled`. */
export async function findContent(
  { io, log }: Invocation,
  datasources: readonly string[] | undefined,
): Promise<DatasourceContent> {
  const found = await discover(io, { datasources, log });
  if (found.kind === "disabled")
    throw new Fault("datasource/disabled", `switched off by ${found.by}`);
  return found.content;
}

/** The system behind `--driver`, or behind the driver it was changed with before. */
export async function openSystem(invocation: Invocation): Promise<SystemClient> {
  const { io, flags, signal } = invocation;
  const driver = chooseDriver(io, wantedDriver(flags));
  const settings = await readSettings(io.files);
  const { openDriver } = await import("#provisioner/system/driver.ts");
  const system = openDriver(io, {
    driver,
    substituters: settings.build?.substituters ?? [],
    buildTimeoutMs: durationMs(settings.build?.timeout, 7_200_000),
    activationTimeoutMs: durationMs(settings.trial?.activationTimeout, 600_000),
    reboot: wantedReboot(flags) ?? settings.trial?.reboot ?? "allow",
    limits: releaseLimits(settings),
    fetch: fetchSettings(settings),
    policy: buildPolicy(settings),
    shred: (keep) => shredCredentials(io, keep),
  });
  const { progress } = await import("./progress.ts");
  return systemClient(system, { onEvent: progress(invocation), signal });
}

/** How often and how long a release is held back; what the settings do not say has its default. */
function releaseLimits({ trial }: Settings): Partial<ReleaseLimits> {
  const { denyFor, tries, triesWithin } = trial ?? {};
  return {
    ...(denyFor === undefined ? {} : { denyMs: durationMs(denyFor, 0) }),
    ...(tries === undefined ? {} : { tries }),
    ...(triesWithin === undefined ? {} : { withinMs: durationMs(triesWithin, 0) }),
  };
}

/** What a person allows for this once. */
function wantedReboot(flags: Flags): RebootPolicy | undefined {
  const wanted = textFlag(flags, "reboot");
  if (wanted === undefined || wanted === "allow" || wanted === "kexec" || wanted === "skip") {
    return wanted;
  }
  throw new Fault(
    "cli/usage",
    `--reboot: expected allow, kexec or skip, got ${JSON.stringify(wanted)}`,
  );
}

function wantedDriver(flags: Flags): DriverName | undefined {
  const wanted = textFlag(flags, "driver");
  if (wanted === undefined || wanted === "nix" || wanted === "dry") return wanted;
  throw new Fault("cli/usage", `--driver: expected nix or dry, got ${JSON.stringify(wanted)}`);
}

/** A node up to its sources, for commands that look before they leap. */
export interface RenderedNode {
  readonly system: SystemClient;
  readonly obtain: ObtainClosure;
  readonly rendering: Rendering;
  readonly reason: ChangeReason;
}

/** Renders what the datasource asks for now, tells the findings, and makes the system ready. */
export async function renderNode(invocation: Invocation): Promise<RenderedNode> {
  const node = await renderOnly(invocation);
  await node.system.recover();
  return node;
}

/** Renders what the datasource asks for now and tells the findings; the system is left as it is. */
export async function renderOnly(invocation: Invocation): Promise<RenderedNode> {
  const system = await openSystem(invocation);
  const report = () => {};
  const deps = await nodeDeps(invocation, { by: "apply", approved: true, system, report });
  const quiet: Stages = { stage: async (_name, work) => await work(), saw: () => {} };
  const rendering = await renderSystem(deps, quiet);
  for (const finding of rendering.findings) invocation.out.talk(formatFinding(finding));
  const { trial } = await system.recover({ judges: true });
  if (trial !== null) {
    const { transaction } = trial.trial;
    throw new Fault("system/transaction-open", `the trial ${transaction} goes on`);
  }
  const { instanceId } = rendering.content.instance;
  return {
    system,
    obtain: deps.obtain ?? system.build,
    rendering,
    reason: { by: "apply", why: rendering.decision.why, instanceId },
  };
}
