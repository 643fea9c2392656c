import type { Asker, BootStages, End, Stages } from "#agent/boot-stages.ts";
import { bootstrapLate, bootstrapNetworkByIp } from "#agent/bootstrap.ts";
import type { DatasourceContent } from "#agent/datasources/datasource.ts";
import { localNetwork } from "#agent/datasources/network/choose-network.ts";
import { readFacts } from "#agent/facts/read-facts.ts";
import {
  type BootDeps,
  makeSystem,
  type Rendering,
  renderSystem,
  whyChanged,
} from "#agent/make-system.ts";
import {
  closureObtainer,
  closurePreviewer,
  type ObtainClosure,
  type ObtainOptions,
  type PreviewClosure,
} from "#agent/obtain-closure.ts";
import { resolveSpec } from "#agent/resolve-spec.ts";
import { openCredentialStore } from "#agent/secrets/credential-store.ts";
import { envelopeOpener } from "#agent/secrets/envelope-opener.ts";
import { ensureIdentity, hasIdentity } from "#agent/secrets/node-identity.ts";
import { readSettings } from "#agent/settings.ts";
import type { SignedClosures } from "#agent/update/obtain-release.ts";
import { committedFile } from "#agent/update/places.ts";
import type { ReleaseDocument } from "#agent/update/release-content.ts";
import { settleKept } from "#agent/update/settle-kept.ts";
import { Fault } from "#core/fault.ts";
import type { Log, LogRecord } from "#core/log.ts";
import type { TracedIo } from "#core/traced-io.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { appliedProfile } from "#provisioner/profiles/profile.ts";
import {
  decideBase,
  isDecidedOtherwise,
  proposeBase,
  recordBase,
} from "#provisioner/render/decide-base.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import type { ChangeReason, Recovery } from "#provisioner/system/system.ts";
import { findAssets, profilesOf } from "./assets.ts";
import { type Invocation, textFlag } from "./command.ts";
import { downloadCourier, nodeCourier } from "./courier.ts";
import { moduleParser } from "./module-parser.ts";
import {
  findContent,
  isEnrolled,
  lazyIncludes,
  lazyRenderer,
  nodeProbe,
  offlineTools,
  openSystem,
} from "./node.ts";

/** How this run differs from another. */
export interface NodeOptions {
  readonly by: Asker;
  readonly approved: boolean;
  readonly system: SystemClient;
  /** Digest of the plan that was approved, if it was one. */
  readonly approvedPlan?: string | undefined;
  /** As `BootDeps` has it. */
  readonly accepted?: BootDeps["accepted"];
  /** The release that is asked for; absent: the one that was committed, else the user-data. */
  readonly release?: ReleaseDocument;
  /** Built systems that the fleet's builders signed for it. */
  readonly closures?: SignedClosures;
}

/** What a boot needs, and a look at what it would fetch. */
interface NodeDeps extends BootDeps {
  readonly preview: PreviewClosure;
}

/** Puts together everything that a boot needs on this machine. */
async function nodeDeps(invocation: Invocation, options: NodeOptions): Promise<NodeDeps> {
  const { io, log, signal } = invocation;
  const settings = await readSettings(io.files);
  const assets = findAssets();
  const profiles = await profilesOf(io.files, settings);
  const obtaining = await obtainOptions(invocation, { settings, system: options.system });
  return {
    io,
    log,
    settings,
    profiles,
    templates: await assets.templates(),
    parameterCheck: assets.parameterCheck,
    obtain: await obtainer(obtaining, options),
    obtainReleased: async (closure, reason) => {
      const { releasedObtainer } = await import("#agent/update/obtain-release.ts");
      const { closures = [], mirrors = settings.fleet?.mirrors ?? [] } = options.closures ?? {};
      return releasedObtainer(obtaining, { closures, mirrors })(closure, reason);
    },
    preview: closurePreviewer(obtaining),
    discover: async () => released(invocation, options, await findContent(invocation, settings)),
    ...(options.by === "boot" ? { bootstrap: lateBootstrap(invocation, settings) } : {}),
    fetchSources: async (urls, how) => {
      const { sourceFetcher } = await import("#agent/fetch-sources.ts");
      const { withKeptAccounts } = await import("#agent/kept-accounts.ts");
      const fetchSources = sourceFetcher({ log, clock: io.clock, courier: nodeCourier(io) });
      return withKeptAccounts(io, log, fetchSources)(urls, how);
    },
    readFacts: () => readFacts(io),
    decideBase: async ({ facts, match, mutableUsers }) =>
      decideBase({
        io,
        git: await gitBase(invocation, settings),
        facts,
        profile: appliedProfile(match, profiles),
        mutableUsers,
        settings,
        agentModule: assets.agentModule(),
      }),
    proposeBase: (base, digest) => proposeBase(io, base, digest),
    recordBase: (digest) => recordBase(io, digest),
    openCredentials: () => openCredentialStore(io),
    openEnvelope: envelopeOpener(io),
    renderTemplate: lazyRenderer(io),
    keptIncludes: lazyIncludes(io),
    parseModule: moduleParser(io),
    ensureIdentity: async () => {
      if (!hasIdentity(io.files)) await ensureIdentity(io, await openCredentialStore(io));
    },
    probe: nodeProbe(invocation),
    enrolled: isEnrolled(io.files, settings),
    signal,
    ...options,
  };
}

/** What was found, with the release in place of the user-data where one is asked for, or was committed. */
async function released(
  { io }: Pick<Invocation, "io">,
  { release, system }: Pick<NodeOptions, "release" | "system">,
  content: DatasourceContent,
): Promise<DatasourceContent> {
  await settleKept(io, system);
  if (release === undefined && io.files.stat(committedFile) === undefined) return content;
  return (await import("./released.ts")).releasedContent(io, content, release);
}

/** As the settings say; of a release with systems that are signed for it, by those. */
async function obtainer(
  obtaining: ObtainOptions,
  { closures }: Pick<NodeOptions, "closures">,
): Promise<ObtainClosure> {
  if (closures === undefined) return closureObtainer(obtaining);
  const { releaseObtainer } = await import("#agent/update/obtain-release.ts");
  return releaseObtainer(obtaining, closures);
}

/** What the settings name in Git; loaded only where they do. Below another root nothing is fetched. */
async function gitBase({ io }: Invocation, { base }: Settings) {
  if (base === undefined || isDecidedOtherwise(io.files)) return undefined;
  const { obtainGitBase } = await import("#provisioner/git-base/obtain-git-base.ts");
  const { gitFetcher } = await import("#provisioner/git-base/fetch-git.ts");
  return obtainGitBase(base, { io, fetch: io.files.root === "/" ? gitFetcher(io) : undefined });
}

/** The bootstrap layer by the boot itself: before it, what documents name by address waits. */
function lateBootstrap({ io, log }: Invocation, settings: Settings) {
  return (content: DatasourceContent) =>
    bootstrapLate(io, log, () => resolveSpec(content, settings, offlineTools(io)));
}

/** What the machine itself says of its network: a service that is asked next may be behind it. */
async function bootstrapEarly({ io, log }: Invocation, { networkSources }: Settings) {
  const said = localNetwork(io.files, networkSources);
  if (said !== undefined) await bootstrapNetworkByIp(io, log, said);
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
  const courier = downloadCourier(io, settings);
  return { io, log, settings, system, courier, signed, signal };
}

/** What a boot was made from, as far as it came. */
export interface MadeFrom {
  readonly content: DatasourceContent;
  readonly facts: Facts;
}

/**
 * Makes the system of this machine, and tells what of. What `trace` remembers are the questions that
 * have the same answer as long as nothing changes; datasource and facts are compared by their value,
 * because disks and the kernel's files change in places that say nothing.
 */
export async function makeNode(
  { invocation, trace, options, found }: MakeNode,
  way: BootStages,
  recovery: Recovery,
): Promise<{ readonly end: End; readonly from: MadeFrom }> {
  const deps = await nodeDeps({ ...invocation, io: trace.io }, options);
  const from: { content?: DatasourceContent; facts?: Facts } = {};
  const end = await makeSystem(
    {
      ...deps,
      async discover() {
        const tell = (datasource: string) => way.saw({ datasource });
        if (options.by === "boot") await bootstrapEarly(invocation, deps.settings);
        const content = await (found === undefined
          ? findContent(invocation, deps.settings, { broken: tell })
          : takeOver(found, invocation.log, tell));
        from.content = await released({ io: trace.io }, options, content);
        return from.content;
      },
      readFacts() {
        from.facts = readFacts(invocation.io);
        return from.facts;
      },
      openCredentials: () => openCredentialStore(trace.io, invocation.io),
      // What is sealed stays what it is, and so does the key.
      openEnvelope: envelopeOpener(invocation.io),
      fetchSources(urls, how) {
        trace.spoil();
        return deps.fetchSources(urls, how);
      },
    },
    way,
    recovery,
  );
  return { end, from: from as MadeFrom };
}

/** A datasource that was read in this boot already, and what the log was not yet told of it. */
export interface Found {
  readonly content: Promise<DatasourceContent>;
  readonly said: readonly LogRecord[];
  /** Names of those that are there and broken. */
  readonly broken: readonly string[];
}

async function takeOver(
  { content, said, broken }: Found,
  log: Log,
  tellBroken: (datasource: string) => void,
): Promise<DatasourceContent> {
  try {
    return await content;
  } finally {
    for (const { level, event, fields } of said) log[level](event, fields);
    for (const datasource of broken) tellBroken(datasource);
  }
}

interface MakeNode {
  readonly found: Found | undefined;
  readonly invocation: Invocation;
  readonly trace: TracedIo;
  readonly options: NodeOptions;
}

/** A node up to its sources, for commands that look before they leap. */
export interface RenderedNode {
  readonly system: SystemClient;
  readonly obtain: ObtainClosure;
  readonly preview: PreviewClosure;
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
  const deps = await nodeDeps(invocation, { by: "apply", approved: true, system });
  const quiet: Stages = { stage: async (_name, work) => await work(), saw: () => {} };
  const rendering = await renderSystem(deps, quiet);
  invocation.out.findings(rendering.findings);
  const { trial } = await system.recover({ judges: true });
  if (trial !== null) {
    const { transaction } = trial.trial;
    throw new Fault("system/transaction-open", `the trial ${transaction} goes on`);
  }
  const { instanceId } = rendering.content.instance;
  const why = whyChanged(rendering, await system.runs(rendering.sources.digest));
  return {
    system,
    obtain: deps.obtain ?? system.build,
    preview: deps.preview,
    rendering,
    reason: { by: "apply", why, instanceId },
  };
}
