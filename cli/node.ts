import { type BootDeps, type Rendering, renderSystem } from "#agent/boot.ts";
import type { Stages } from "#agent/boot-stages.ts";
import type { DatasourceContent } from "#agent/datasources/datasource.ts";
import { discover } from "#agent/datasources/discover.ts";
import { readFacts } from "#agent/facts/read-facts.ts";
import { hostProbe, type Probe } from "#agent/health/probe.ts";
import {
  closureObtainer,
  type ObtainClosure,
  type ObtainOptions,
  signedManifest,
} from "#agent/obtain-closure.ts";
import { openCredentialStore } from "#agent/secrets/credential-store.ts";
import { readSettings } from "#agent/settings.ts";
import { Fault } from "#core/fault.ts";
import { formatFinding } from "#core/finding.ts";
import type { Settings } from "#generated/agent/settings.ts";
import { appliedProfile } from "#provisioner/profiles/profile.ts";
import { decideBase, recordBase } from "#provisioner/render/decide-base.ts";
import { type SystemClient, systemClient } from "#provisioner/system/client.ts";
import { chooseDriver, type DriverName } from "#provisioner/system/driver-record.ts";
import type { ChangeReason } from "#provisioner/system/system.ts";
import { findAssets } from "./assets.ts";
import { type Invocation, textFlag } from "./command.ts";
import { nodeCourier } from "./courier.ts";
import { version } from "./version.ts";

/** Flags of every command that works on the system. */
export const systemOptions = {
  driver: { type: "string" },
  "in-process": { type: "boolean" },
} as const;

/** Of commands that may fetch a system instead of building it. */
export const fetchOptions = { fetch: { type: "string" } } as const;

/** How this run differs from another. */
export interface NodeOptions {
  readonly by: "boot" | "apply";
  readonly approved: boolean;
  readonly system: SystemClient;
  /** Digest of the plan that was approved, if it was one. */
  readonly approvedPlan?: string | undefined;
  readonly report: BootDeps["report"];
}

/** What a boot needs, and a look at what it would fetch. */
export interface NodeDeps extends BootDeps {
  /** Text of the manifest that would be fetched for these sources, if one would be. */
  readonly signedManifest: (sourcesDigest: string) => Promise<string | undefined>;
}

/** Puts together everything that a boot needs on this machine. */
export async function nodeDeps(invocation: Invocation, options: NodeOptions): Promise<NodeDeps> {
  const { io, log, signal } = invocation;
  const settings = await readSettings(io.files);
  const assets = findAssets();
  const profiles = await assets.profiles();
  const obtaining = await obtainOptions(invocation, { settings, system: options.system });
  return {
    io,
    log,
    settings,
    profiles,
    templates: await assets.templates(),
    parameterCheck: assets.parameterCheck,
    obtain: closureObtainer(obtaining),
    signedManifest: (digest) => signedManifest(obtaining, digest),
    discover: () => findContent(invocation, settings.datasources),
    fetchSources: async (urls) => {
      const { sourceFetcher } = await import("#agent/fetch-sources.ts");
      return sourceFetcher({ log, clock: io.clock, courier: nodeCourier(io) })(urls);
    },
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
    recordBase: (base) => recordBase(io, base),
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
async function obtainOptions(
  { io, log, flags, signal }: Invocation,
  { settings, system }: { readonly settings: Settings; readonly system: SystemClient },
): Promise<ObtainOptions> {
  const file = textFlag(flags, "fetch");
  const signed =
    file === undefined
      ? undefined
      : Buffer.from(await (await import("./read-input.ts")).readInput(file, { signal })).toString();
  const courier = nodeCourier(io);
  return { io, log, settings, system, courier, signed, signal };
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

/** The system behind `--driver`, or behind the driver it was changed with before; see `sides.ts`. */
export async function openSystem(invocation: Invocation): Promise<SystemClient> {
  const { io, log, flags, signal } = invocation;
  const driver = driverOf(invocation);
  const { openSides } = await import("./sides.ts");
  const system = await openSides({ io, log, driver, inProcess: flags["in-process"] === true });
  const { progress } = await import("./progress.ts");
  return systemClient(system, { onEvent: progress(invocation), signal });
}

/** The driver of this machine. Throws `cli/usage`, `system/other-driver`. */
export function driverOf({ io, flags }: Pick<Invocation, "io" | "flags">): DriverName {
  const wanted = textFlag(flags, "driver");
  if (wanted === undefined || wanted === "nix" || wanted === "dry") return chooseDriver(io, wanted);
  throw new Fault("cli/usage", `--driver: expected nix or dry, got ${JSON.stringify(wanted)}`);
}

/** A node up to its sources, for commands that look before they leap. */
export interface RenderedNode {
  readonly system: SystemClient;
  readonly obtain: ObtainClosure;
  readonly signedManifest: NodeDeps["signedManifest"];
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
  const { instanceId } = rendering.content.instance;
  return {
    system,
    obtain: deps.obtain ?? system.build,
    signedManifest: deps.signedManifest,
    rendering,
    reason: { by: "apply", why: rendering.decision.why, instanceId },
  };
}
