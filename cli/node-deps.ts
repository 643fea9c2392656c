import type { BootStages, End, Stages } from "#agent/boot-stages.ts";
import type { DatasourceContent } from "#agent/datasources/datasource.ts";
import { readFacts } from "#agent/facts/read-facts.ts";
import { type BootDeps, makeSystem, type Rendering, renderSystem } from "#agent/make-system.ts";
import { openCredentialStore } from "#agent/secrets/credential-store.ts";
import { readSettings } from "#agent/settings.ts";
import { formatFinding } from "#core/finding.ts";
import type { TracedIo } from "#core/traced-io.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { appliedProfile } from "#provisioner/profiles/profile.ts";
import { decideBase, recordBase } from "#provisioner/render/decide-base.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import type { ChangeReason } from "#provisioner/system/system.ts";
import { findAssets } from "./assets.ts";
import type { Invocation } from "./command.ts";
import { findContent, nodeProbe, openSystem } from "./node.ts";

/** How this run differs from another. */
export interface NodeOptions {
  readonly by: "boot" | "apply";
  readonly approved: boolean;
  readonly system: SystemClient;
}

/** Puts together everything that a boot needs on this machine. */
async function nodeDeps(invocation: Invocation, options: NodeOptions): Promise<BootDeps> {
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
    recordBase: (base) => recordBase(io, base),
    openCredentials: () => openCredentialStore(io),
    probe: nodeProbe(invocation, settings),
    enrolled: io.files.stat("/var/lib/firstlight/trust/root.json") !== undefined,
    signal,
    ...options,
  };
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
  { invocation, trace, options }: MakeNode,
  way: BootStages,
): Promise<{ readonly end: End; readonly from: MadeFrom }> {
  const deps = await nodeDeps({ ...invocation, io: trace.io }, options);
  const from: { content?: DatasourceContent; facts?: Facts } = {};
  const end = await makeSystem(
    {
      ...deps,
      async discover() {
        from.content = await findContent(invocation, deps.settings.datasources);
        return from.content;
      },
      readFacts() {
        from.facts = readFacts(invocation.io);
        return from.facts;
      },
      fetchSources(urls) {
        trace.spoil();
        return deps.fetchSources(urls);
      },
    },
    way,
  );
  return { end, from: from as MadeFrom };
}

interface MakeNode {
  readonly invocation: Invocation;
  readonly trace: TracedIo;
  readonly options: NodeOptions;
}

/** A node up to its sources, for commands that look before they leap. */
export interface RenderedNode {
  readonly system: SystemClient;
  readonly rendering: Rendering;
  readonly reason: ChangeReason;
}

/** Renders what the datasource asks for now, tells the findings, and makes the system ready. */
export async function renderNode(invocation: Invocation): Promise<RenderedNode> {
  const system = await openSystem(invocation);
  const deps = await nodeDeps(invocation, { by: "apply", approved: true, system });
  const quiet: Stages = { stage: async (_name, work) => await work(), saw: () => {} };
  const rendering = await renderSystem(deps, quiet);
  for (const finding of rendering.findings) invocation.out.talk(formatFinding(finding));
  await system.recover();
  const { instanceId } = rendering.content.instance;
  return {
    system,
    rendering,
    reason: { by: "apply", why: rendering.decision.why, instanceId },
  };
}
