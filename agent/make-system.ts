import { counted } from "#core/count.ts";
import { Fault, type FaultRecord, isFault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import { hasErrors, placeOfFinding } from "#core/finding.ts";
import { type Io, timestamp } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import type { SecretBag } from "#core/secret.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import type { Health, Spec } from "#generated/provisioner/spec/v1.ts";
import { matchProfile } from "#provisioner/profiles/match.ts";
import type { Match, ProfileSet } from "#provisioner/profiles/profile.ts";
import type { Base, CredentialFile } from "#provisioner/render/base.ts";
import { checkBase, tellOtherBase } from "#provisioner/render/check-base.ts";
import { checkHome } from "#provisioner/render/check-home.ts";
import { render } from "#provisioner/render/render.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import type { CheckParameters, Templates } from "#provisioner/render/templates.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import { planStale } from "#provisioner/system/plan-stale.ts";
import type {
  ChangeReason,
  Closure,
  Recovery,
  Running,
  TakenBack,
  Wanted,
} from "#provisioner/system/system.ts";
import type { Signature } from "#provisioner/userdata/signed/open-signed.ts";
import { findingsOfBlame, weighFinding } from "#provisioner/userdata/vendor-data.ts";
import { blameInput } from "./blame-input.ts";
import { type Asker, alreadyRuns, type BootStages, type End, type Stages } from "./boot-stages.ts";
import { endBootstrap } from "./bootstrap.ts";
import type { ParseModule } from "./check-modules.ts";
import { failedSideEffects } from "./command-states.ts";
import type { DatasourceContent, ReleasedSystem } from "./datasources/datasource.ts";
import { searchOfFault } from "./datasources/search.ts";
import { endOfFault } from "./end-of-fault.ts";
import type { Probe } from "./health/probe.ts";
import { writeInstanceData } from "./instance-data.ts";
import { KeepAccepted } from "./keep-accepted.ts";
import type { ObtainClosure } from "./obtain-closure.ts";
import { mustBeSigned } from "./open-signed.ts";
import { exitCodeOfFault, exitCodes } from "./outcome.ts";
import {
  digestBeside,
  digestInputs,
  digestUnsigned,
  type PinnedInstance,
  readPinnedInstance,
  type Unsigned,
  writePinnedInstance,
} from "./pinned-instance.ts";
import { type Decision, decide } from "./policy.ts";
import { lookAtBoot } from "./prove-boot.ts";
import type { FetchSources, KeptIncludes } from "./read-parts.ts";
import type { RenderTemplate } from "./render-documents.ts";
import { type Resolution, resolveSpec } from "./resolve-spec.ts";
import { goOn } from "./resume-trial.ts";
import type { CredentialStore } from "./secrets/credential-store.ts";
import type { OpenEnvelope } from "./secrets/envelope-opener.ts";
import { settleTrial } from "./settle-trial.ts";
import { writeReportSettings } from "./write-report-settings.ts";

/** Everything that making a system needs, as values; the command line builds it. */
export interface BootDeps {
  /** What the system is made from is asked of it, and of nothing else. */
  readonly io: Io;
  readonly log: Log;
  readonly settings: Settings;
  readonly system: SystemClient;
  /** How a system is had; it is built when absent. */
  readonly obtain?: ObtainClosure;
  /** How the system of a release is had that has nothing to render. */
  readonly obtainReleased?: (
    closure: ReleasedSystem["closure"],
    reason: ChangeReason,
  ) => Promise<Closure>;
  /** Finds the datasource and reads it. Throws `datasource/none` where there is none. */
  readonly discover: () => Promise<DatasourceContent>;
  /** Brings up network, keys and name where the datasource came too late for the bootstrap layer. */
  readonly bootstrap?: (content: DatasourceContent) => Promise<void>;
  /** Told the datasource whose documents are good, before what they ask for is built. */
  readonly accepted?: ((datasource: string) => Promise<void>) | undefined;
  readonly fetchSources: FetchSources;
  readonly renderTemplate?: RenderTemplate;
  readonly keptIncludes?: (instanceId: string) => KeptIncludes;
  readonly parseModule?: ParseModule;
  /** Opens what is sealed to this node. */
  readonly openEnvelope: OpenEnvelope;
  /** Makes the key that envelopes are sealed to, where the node has none yet. */
  readonly ensureIdentity?: () => Promise<void>;
  readonly readFacts: () => Facts | Promise<Facts>;
  readonly profiles: ProfileSet;
  readonly templates: Templates;
  readonly decideBase: (input: BaseInput) => Base | Promise<Base>;
  /** Keeps the base of a trial, for whichever process commits it. */
  readonly proposeBase: (base: Base, sourcesDigest: string) => void;
  /** Keeps the base that the first commit stands on. */
  readonly recordBase: (sourcesDigest: string | null) => void;
  /** Loads the check of these templates' parameters. */
  readonly parameterCheck: (names: readonly string[]) => Promise<CheckParameters>;
  readonly openCredentials: () => Promise<CredentialStore>;
  readonly probe: Probe;
  /** Whether the node belongs to a fleet whose signatures it can check. */
  readonly enrolled: boolean;
  readonly signal?: AbortSignal;
  /** A person has asked for this change: the policy's `hold` counts as answered. */
  readonly approved: boolean;
  /** Digest of the plan that was approved: what differs from it is not activated. */
  readonly approvedPlan?: string | undefined;
  readonly by: Asker;
}

/** What the base of a system is decided from. */
export interface BaseInput {
  readonly facts: Facts;
  readonly match: Match;
  readonly mutableUsers: boolean | undefined;
}

/** What the datasource says, read and let in by the policy; it may be wrong still. */
type Accepted = Pick<Rendering, "content" | "translation">;

/** What the pure middle of a boot made: enough to render, to preview and to build. */
export interface Rendering {
  readonly content: DatasourceContent;
  readonly translation: Omit<Resolution, "fetched" | "signedAddresses" | "launchIndex">;
  readonly match: Match;
  readonly base: Base;
  readonly sources: Sources;
  readonly credentials: ReadonlyMap<string, CredentialFile>;
  readonly findings: readonly Finding[];
  readonly decision: Decision;
  readonly inputsDigest: string;
  readonly unsigned: Unsigned;
  /** Digest of what the datasource says beside the user-data. */
  readonly beside: string;
}

/**
 * From what an earlier boot began, or what the datasource says, to a healthy generation, or back.
 * Throws what `boot` makes an end of.
 */
export async function makeSystem(d: BootDeps, way: BootStages, recovery: Recovery): Promise<End> {
  const resumed = await goOn(d, way, recovery);
  if (resumed === undefined) return await changeSystem(d, way, { recovery });
  const reason = recovery.trial?.reason ?? recovery.back?.reason;
  if (reason?.by === "rollback" && !isOfFirstBoot(recovery)) return resumed;
  if (resumed.outcome === "committed") return followCommitted(d, way, { recovery, resumed });
  if (resumed.outcome === "rolled-back" && recovery.back !== null)
    return followTakenBack(d, way, { recovery, resumed, left: releaseOf(recovery.back) });
  return resumed;
}

/** As whoever asks for it names what was taken back. */
function releaseOf({ sourcesDigest, toplevel }: TakenBack): string {
  return sourcesDigest ?? toplevel;
}

/** Whether what was taken back is a system that was committed, by its first boot: not the trial that was open. */
function isOfFirstBoot({ back, transaction }: Recovery): boolean {
  return back !== null && back.transaction !== transaction;
}

/**
 * After the commit of a trial that an earlier boot began: pin and place to report follow, and what was
 * asked for since is done. Where the datasource cannot be read now, the next boot does that.
 */
async function followCommitted(
  d: BootDeps,
  way: BootStages,
  { recovery, resumed }: Following,
): Promise<End> {
  try {
    const end = await changeSystem(d, way, { recovery });
    return end.outcome === "unchanged"
      ? { ...end, ...resumed, degraded: end.degraded ?? false }
      : end;
  } catch (error) {
    const { fault, message } = endOfFault(error, d.log);
    const known = isFault(error, "system/release-denied") ? "" : " since is not known";
    const told = `${resumed.message}; what was asked for${known}: ${message}`;
    return { ...resumed, message: told, degraded: true, ...(fault === undefined ? {} : { fault }) };
  }
}

/**
 * After the way back of a trial that an earlier boot judged: what is asked for now is tried, where that
 * is something else. The end of that trial is the news wherever this comes to none of its own; the
 * fleet is told of it in any case.
 */
async function followTakenBack(
  d: BootDeps,
  way: BootStages,
  { recovery, resumed, left }: Following & { readonly left: string | null },
): Promise<End> {
  way.saw({ wanted: unknown });
  try {
    const end = await changeSystem(d, way, { recovery, left });
    if (end.outcome === "unchanged") way.saw({ wanted: null });
    return isNews(end) ? end : resumed;
  } catch (error) {
    if (isFault(error, "system/release-denied")) return resumed;
    const { message, fault } = endOfFault(error, d.log);
    if (isFault(error, "policy/left-alone")) {
      const apply =
        "it is left alone until something else is asked for; `firstlight apply` tries it";
      return { ...resumed, message: `${resumed.message}; ${apply}` };
    }
    if (fault != null && exitCodeOfFault(fault) === exitCodes.refused) way.saw({ wanted: null });
    return { ...resumed, message: `${resumed.message}; what is asked for now: ${message}` };
  }
}

/** What is asked for, before that has been found out. */
const unknown: Wanted = { sourcesDigest: null };

function isNews({ outcome }: End): boolean {
  return outcome === "committed" || outcome === "rolled-back" || outcome === "rebooting";
}

interface Following {
  readonly recovery: Recovery;
  readonly resumed: End;
}

interface Changing {
  readonly recovery: Recovery;
  /** Digest of sources that are not tried again now. */
  readonly left?: string | null;
}

async function changeSystem(d: BootDeps, way: BootStages, changing: Changing): Promise<End> {
  const content = await findContent(d, way);
  if (content.releasedSystem !== undefined)
    return settleReleased(d, way, { ...changing, content, released: content.releasedSystem });
  const rendering = await renderContent(d, way, content, async (accepted) => {
    way.tell((io) => writeInstanceData(io, accepted.content.instance));
    // A first boot that fails must be told of, also where it fails by what its documents say; later
    // ones report as the system that runs does.
    if (readPinnedInstance(d.io.files) === undefined) await tellWhereAtFirst(d, way, accepted);
  });
  await d.accepted?.(rendering.content.instance.datasource.name);
  return settleRendered(d, way, { rendering, ...changing });
}

/**
 * Discover, resolve, read, match, render: no change to the machine but its own credential files. Throws
 * `update/nothing-to-render` where the node is made from a release that is a built system.
 */
export async function renderSystem(d: BootDeps, way: Stages): Promise<Rendering> {
  const content = await findContent(d, way);
  if (content.releasedSystem === undefined) return renderContent(d, way, content);
  const { release, closure } = content.releasedSystem;
  const what = `the release ${release.name} is the built system ${closure.toplevel}`;
  throw new Fault("update/nothing-to-render", what);
}

async function findContent(d: BootDeps, way: Stages): Promise<DatasourceContent> {
  const content = await way.stage("discover", d.discover).catch((error) => {
    way.saw({ search: searchOfFault(error) });
    throw error;
  });
  way.saw({
    search: content.search,
    instanceId: content.instance.instanceId,
    datasource: content.instance.datasource.name,
  });
  await d.bootstrap?.(content); // addresses that documents name need a network
  return content;
}

/** `accept` is called when the policy lets the instance in; before that nothing of it is kept. */
async function renderContent(
  given: BootDeps,
  way: Stages,
  content: DatasourceContent,
  accept: (accepted: Accepted) => Promise<void> = async () => {},
): Promise<Rendering> {
  const keeping = new KeepAccepted();
  const d = keepingBy(keeping, given);
  const { fetched, launchIndex, signedAddresses, ...resolved } = await way.stage(
    "resolve",
    async () => {
      await d.ensureIdentity?.(); // where something is sealed to another, it is said what this node has
      const whole = await resolveSpec(content, d.settings, { ...d, clock: d.io.clock });
      return (await withoutBlamed(d, content, { ...whole, translation: whole })) ?? whole;
    },
  );
  way.saw({ findings: resolved.findings });
  const inputs = { ...content, fetched, launchIndex };
  const inputsDigest = digestInputs(d.io, inputs);
  const { signature } = resolved;
  if (signature !== undefined) {
    const { signer, serial } = signature;
    d.log.info("user-data.signed", { signer, serial });
  }
  const isRequired = mustBeSigned(d.settings);
  const unsigned = digestUnsigned(d.io, inputs, {
    unused: {
      hostname: resolved.origins.has("hostname"),
      publicKeys: isRequired,
      vendorData: isRequired,
    },
    signedAddresses,
  });
  const beside = digestBeside(d.io, content);
  const decision = decide({
    pinned: readPinnedInstance(d.io.files),
    instance: content.instance,
    inputsDigest,
    settings: d.settings,
    enrolled: d.enrolled,
    ...{ signature, unsigned, release: content.release, beside },
  });
  checkComplete(content, decision, d);
  checkDecision(decision, d);
  await keeping.accept();
  await accept({ content, translation: resolved });
  if (hasErrors(resolved.findings)) throw invalid(resolved.findings);
  const facts = await way.stage("facts", d.readFacts);
  const match = await way.stage("match", () => matchProfile(facts, d.profiles));
  way.saw({ profile: match.profile, confidence: match.confidence });
  const renderOne = (translation: Rendering["translation"]) =>
    renderTranslation(d, way, { content, translation, facts, match });
  const whole = await renderOne(resolved);
  const other = await withoutBlamed(d, content, whole);
  const rendered = other === undefined ? whole : await renderOne(other);
  const weighed = rendered.findings.map((finding) =>
    weighFinding(finding, rendered.translation.vendorDocuments),
  );
  const all = [...rendered.translation.findings, ...weighed];
  way.saw({ findings: all });
  if (hasErrors(all)) throw invalid(all);
  return {
    ...{ ...rendered, content, match, findings: all },
    ...{ decision, inputsDigest, unsigned, beside },
  };
}

/** The same, with what it keeps of documents in memory until they are let in. */
function keepingBy(keeping: KeepAccepted, d: BootDeps): BootDeps {
  const { keptIncludes } = d;
  return {
    ...d,
    fetchSources: (urls, how) => d.fetchSources(urls, { ...how, keep: keeping.keep }),
    ...(keptIncludes && { keptIncludes: (id: string) => keeping.includes(keptIncludes(id)) }),
  };
}

/** The same without vendor-data, where an error stands in that; its errors are warnings then. */
async function withoutBlamed(
  d: BootDeps,
  content: DatasourceContent,
  {
    translation,
    findings,
  }: Pick<Rendering, "findings"> & {
    readonly translation: Pick<Resolution, "vendorDocuments" | "findings">;
  },
): Promise<Resolution | undefined> {
  const said = [...translation.findings, ...findings];
  const blamed = findingsOfBlame(said, translation.vendorDocuments);
  return blamed.length === 0
    ? undefined
    : resolveSpec(content, d.settings, { ...d, clock: d.io.clock, blamed });
}

interface Rendered extends Pick<Rendering, "translation" | "base" | "sources" | "credentials"> {
  /** What is said beside what the translation says. */
  readonly findings: readonly Finding[];
}

async function renderTranslation(
  d: BootDeps,
  way: Stages,
  {
    content,
    translation,
    facts,
    match,
  }: Pick<Rendering, "content" | "translation" | "match"> & { readonly facts: Facts },
): Promise<Rendered> {
  const base = await way.stage("base", () =>
    d.decideBase({ facts, match, mutableUsers: translation.spec.mutableUsers }),
  );
  const credentials = await way.stage("credentials", () => storeSecrets(d, translation.secrets));
  const names = (translation.spec.templates ?? []).map((use) => use.name);
  const checkParameters = await d.parameterCheck(names);
  const { sources, findings } = await way.stage("render", () =>
    render({
      spec: translation.spec,
      facts,
      match,
      base,
      profiles: d.profiles,
      templates: d.templates,
      checkParameters,
      credentials,
      origins: translation.origins,
      instanceId: content.instance.instanceId,
      metadataService: content.metadataService ?? null,
    }),
  );
  const ofBase = [
    ...checkBase(d.io.files, base, translation.spec),
    ...checkHome({ ...translation, files: d.io.files }),
    ...tellOtherBase(d.settings.base !== undefined, base),
  ];
  return { translation, base, sources, credentials, findings: [...ofBase, ...findings] };
}

async function storeSecrets(
  d: BootDeps,
  secrets: SecretBag,
): Promise<ReadonlyMap<string, CredentialFile>> {
  const store = await d.openCredentials();
  const files = await store.store(secrets);
  if (files.size > 0) {
    const isSealed = [...files.values()].every(({ encrypted }) => encrypted);
    // One that is not has been asked about already.
    const how = isSealed ? { encrypted: true } : await store.protection();
    d.log.info("credentials.stored", { count: files.size, ...how });
  }
  return files;
}

/** What a machine is to run, and how that is had. */
interface Target {
  /** Digest of its sources, or the store path of a system that comes without. */
  readonly release: string;
  readonly sourcesDigest: string | null;
  readonly hardwareProfile?: string | null;
  readonly health: Health | undefined;
  /** Whether it is asked for anew: what a person chose meanwhile stays otherwise. */
  readonly isNew: boolean;
  obtain(running: Running): Promise<Closure>;
  /** Keeps what it stands on, before it is tried. */
  propose(): void;
  /** Follows it once it runs. */
  follow(): void;
}

function settleRendered(
  d: BootDeps,
  way: BootStages,
  { rendering, ...changing }: Changing & { readonly rendering: Rendering },
): Promise<End> {
  const { sources, decision, translation, match } = rendering;
  return settle(d, way, {
    ...changing,
    target: {
      ...{ release: sources.digest, sourcesDigest: sources.digest },
      ...{ hardwareProfile: match.profile, health: translation.spec.health },
      isNew: decision.change !== "nothing",
      obtain(running) {
        const reason = {
          by: d.by,
          why: whyChanged(rendering, running),
          instanceId: rendering.content.instance.instanceId,
          hardwareProfile: match.profile,
        };
        return way
          .stage("build", () => (d.obtain ?? d.system.build)(sources, reason))
          .catch((error) => {
            way.saw({ findings: [...rendering.findings, ...blameInput(error, rendering)] });
            throw error;
          });
      },
      propose: () => d.proposeBase(rendering.base, sources.digest),
      follow: () => follow(d, rendering),
    },
  });
}

/**
 * The same of a release that is a built system: it is fetched, and nothing that the cloud says goes into it.
 * The pin stays as the last documents left it: a release that is rendered again is held against that.
 */
function settleReleased(
  d: BootDeps,
  way: BootStages,
  {
    content,
    released,
    ...changing
  }: Changing & { readonly content: DatasourceContent; readonly released: ReleasedSystem },
): Promise<End> {
  const { release, closure, health } = released;
  const { instanceId } = content.instance;
  if (readPinnedInstance(d.io.files)?.instanceId === instanceId)
    way.tell((io) => writeInstanceData(io, content.instance));
  const reason = { by: d.by, why: `the release ${release.name}, signed by the fleet`, instanceId };
  return settle(d, way, {
    ...changing,
    target: {
      ...{ release: closure.toplevel, sourcesDigest: null, health },
      isNew: d.by === "update",
      obtain: () =>
        way.stage("fetch", () => {
          if (d.obtainReleased !== undefined) return d.obtainReleased(closure, reason);
          throw new Fault("system/closure-not-found", `${closure.toplevel}: nobody may fetch it`);
        }),
      propose: () => {},
      follow: () => endBootstrap(d.io),
    },
  });
}

/** Build or fetch, plan, try, judge, commit or roll back. */
async function settle(
  d: BootDeps,
  way: BootStages,
  { target, recovery, left }: Changing & { readonly target: Target },
): Promise<End> {
  const { release, sourcesDigest, hardwareProfile, health } = target;
  way.saw({
    wanted: {
      sourcesDigest: release,
      ...(hardwareProfile === undefined ? {} : { hardwareProfile }),
    },
  });
  const running = await way.stage("runs", () => d.system.runs(release));
  if (running.runs) {
    checkApplied(running, d.approvedPlan);
    await lookAtBoot(d, way, { recovery, health });
    const unfinished = isUnfinished(recovery) ? [recovery.fault.message] : [];
    const failures = [...unfinished, ...failedSideEffects(d.io, null)];
    const end = alreadyRuns(running, sourcesDigest, failures);
    const followed = way.tell(() => target.follow());
    return { ...end, degraded: end.degraded === true || !followed };
  }
  if (isUnfinished(recovery) && !d.approved) {
    // What is left of it is for the next start, or it was taken back just now: nobody chose that.
    throw new Fault(recovery.fault.code, recovery.fault.message);
  }
  if (running.chosen !== null && (!target.isNew || running.overruled)) {
    // What a person chose stays, until somebody asks for something else.
    if (!d.approved) leaveAlone(way, running.chosen);
    if (!target.isNew) way.saw({ wanted: null });
  }
  if (left === release && !d.approved) {
    throw new Fault("system/release-denied", "it is what was just taken back");
  }
  const closure = await target.obtain(running);
  const plan = await way.stage("plan", () => d.system.plan(closure));
  // A build takes its time. From here on a plan is stale where something else is switched to.
  const now = await d.system.runs("");
  const isOther =
    now.toplevel !== running.toplevel ||
    now.lastTrial !== running.lastTrial ||
    now.chosen !== running.chosen;
  if (now.chosen !== null && isOther && !d.approved) leaveAlone(way, now.chosen);
  target.propose();
  const end = await settleTrial(d, way, { plan, health, approved: d.approvedPlan }).catch(
    (error) => {
      // Here it is the system itself: nobody would learn that any sooner than by building it again.
      if (isFault(error, "system/release-denied")) way.saw({ wanted: null });
      throw error;
    },
  );
  if (end.outcome !== "committed") return end;
  const followed = way.tell(() => target.follow());
  return { ...end, degraded: end.degraded === true || !followed };
}

/** Whether a commit, or the way back from one, could not be finished: it is still open, or has come to nothing. */
function isUnfinished(recovery: Recovery): recovery is Recovery & { readonly fault: FaultRecord } {
  const codes: readonly unknown[] = [
    "system/commit-incomplete",
    "system/commit-failed",
    "system/roll-back-failed",
  ];
  return codes.includes(recovery.fault?.code);
}

/** Where nothing is left to do, an approved plan is the one that was applied. Throws `system/plan-stale`. */
function checkApplied({ planDigest }: Running, approved: string | undefined): void {
  if (approved === undefined || approved === planDigest) return;
  const now = "nothing would change now, and it is not the plan that was applied last";
  throw planStale(approved, now);
}

/** Why a system is changed, also where no document asks for anything else. */
export function whyChanged(
  { content, decision }: Pick<Rendering, "content" | "decision">,
  { chosen }: Pick<Running, "chosen">,
): string {
  if (decision.change !== "nothing") return decision.why;
  const instead = chosen === null ? "makes another system now" : `takes the place of ${chosen}`;
  return `${content.instance.instanceId}: the documents are the same; what they ask for ${instead}`;
}

/** Ends the boot at what a person chose; no later one is promised to try anything. */
function leaveAlone(way: BootStages, chosen: string): never {
  way.saw({ wanted: null });
  throw new Fault("policy/left-alone", chosen);
}

/** Where to report, as this rendering says it. */
function tellWhere(d: BootDeps, { content, translation, credentials }: ReportingPart): void {
  writeReportSettings(d.io, {
    instanceId: content.instance.instanceId,
    spec: translation.spec.report,
    settings: d.settings.report,
    credentials,
  });
}

type ReportingPart = Pick<Rendering, "content" | "credentials"> & {
  readonly translation: { readonly spec: { readonly report?: Spec["report"] | undefined } };
};

/**
 * Where to report, before anything is made of the documents. Of a broker that they name wrongly
 * nothing is used: what is left of it may be a connection in the clear.
 */
async function tellWhereAtFirst(
  d: BootDeps,
  way: BootStages,
  { content, translation }: Accepted,
): Promise<void> {
  const { findings, secrets, spec } = translation;
  const isWrong = findings.some(
    ({ level, path }) => level === "error" && /(^|\.)report(\.|$)/.test(path),
  );
  const report = isWrong ? undefined : spec.report;
  const name = report?.mqtt?.password?.secretRef ?? "";
  const password = secrets.get(name);
  const credentials =
    password === undefined ? new Map() : await storeSecrets(d, new Map([[name, password]]));
  way.tell(() => tellWhere(d, { content, credentials, translation: { spec: { report } } }));
}

/** Follows an accepted change; a lost pin only means that the same inputs are decided again. */
function follow(d: BootDeps, rendering: Rendering): void {
  const { content, translation, decision, inputsDigest } = rendering;
  tellWhere(d, rendering);
  endBootstrap(d.io);
  const before = readPinnedInstance(d.io.files);
  const { unsigned, beside } = rendering;
  if (decision.change === "nothing") {
    // An earlier version pinned it without, or the settings have changed what counts of it.
    const isPinned =
      before?.unsigned?.rights === unsigned.rights &&
      before.unsigned.place === unsigned.place &&
      before.beside === beside;
    if (before !== undefined && !isPinned)
      writePinnedInstance(d.io, { ...before, unsigned, beside });
    return;
  }
  const pinned: PinnedInstance = {
    v: 1,
    datasource: content.instance.datasource.name,
    identity: content.instance.datasource.identity,
    instanceId: content.instance.instanceId,
    inputsDigest,
    changes: before === undefined ? (translation.spec.update?.changes ?? null) : before.changes,
    at: timestamp(d.io.clock),
    ...{ unsigned, beside, ...newestSigned(before, translation.signature) },
    ...(content.release === undefined ? {} : { release: content.release }),
  };
  writePinnedInstance(d.io, pinned);
}

/** The signature that a later one must be above. */
function newestSigned(
  before: PinnedInstance | undefined,
  signature: Signature | undefined,
): Pick<PinnedInstance, "signed"> {
  if (signature === undefined || signature.serial === null)
    return before?.signed === undefined ? {} : { signed: before.signed };
  return { signed: { id: signature.id, serial: signature.serial } };
}

/** What did not come for once is no change of what a node is made from. */
function checkComplete(
  { instance, incomplete = false }: DatasourceContent,
  { change }: Decision,
  d: BootDeps,
): void {
  if (!incomplete || change !== "user-data" || d.approved) return;
  const { name } = instance.datasource;
  const message = `${name}: not all of it came, and what came is not what the node is made from`;
  throw new Fault("datasource/unreachable", message, {
    hint: "the system stays, and the next boot asks again; `firstlight apply` takes what there is",
  });
}

function checkDecision(decision: Decision, d: BootDeps): void {
  if (decision.answer === "apply" || (decision.answer === "hold" && d.approved)) return;
  const code = decision.answer === "hold" ? "policy/held" : "policy/signature-required";
  throw new Fault(code, decision.why);
}

function invalid(findings: readonly Finding[]): Fault {
  const errors = findings.filter((finding) => finding.level === "error");
  const first = errors[0];
  const place = first === undefined ? "" : `: ${placeOfFinding(first)}: ${first.message}`;
  const message = `${counted(errors.length, "error")} in the input${place}`;
  return new Fault("user-data/invalid", message, { findings });
}
