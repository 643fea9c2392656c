import { Fault } from "#core/fault.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import type { Conclusion } from "./afterwards.ts";
import type { Collected } from "./collect.ts";
import type { DriftReport, RepairReport } from "./drift/report.ts";
import type { RetentionLimits } from "./retention.ts";
import type {
  BootProof,
  ChangeReason,
  Closure,
  Committed,
  GenerationPlan,
  History,
  Plan,
  Recovery,
  Restarting,
  Retry,
  RolledBack,
  Running,
  SourcesPreview,
  System,
  SystemEvent,
  SystemRequest,
  SystemResults,
  SystemStatus,
  Trial,
  Verdict,
  Wanted,
} from "./system.ts";

/** How a plan is tried. */
export interface TryOptions {
  /** How long the trial may be watched at most. */
  readonly watchMs?: number;
  /** What its judge needs, JSON. */
  readonly judging?: { readonly [key: string]: unknown } | null;
  /** The digest that the plan must have. */
  readonly approved?: string | undefined;
}

/** The requests of a {@link System} as calls. */
export interface SystemClient {
  /** `judges`: a trial that goes on is handed back, to be judged by the caller. */
  recover(options?: { readonly judges: boolean }): Promise<Recovery>;
  runs(sourcesDigest: string): Promise<Running>;
  build(sources: Sources, reason: ChangeReason): Promise<Closure>;
  /**
   * `signed`: text of a signed manifest; `sources`: what the system must be made from, or `null`; `caches`:
   * addresses that are asked before those of the settings.
   */
  fetch(
    signed: string,
    sources: Sources | null,
    reason: ChangeReason,
    caches?: readonly string[],
  ): Promise<Closure>;
  /** `signed`: text of the manifest that would be fetched. */
  preview(sources: Sources, signed?: string): Promise<SourcesPreview>;
  /** `keep`: whether it is written down for who approves it. */
  plan(closure: Closure, keep?: boolean): Promise<Plan>;
  try(plan: Plan, options?: TryOptions): Promise<Trial>;
  commit(trial: Trial, verdict: Verdict): Promise<Committed>;
  rollBack(trial: Trial, verdict: Verdict): Promise<RolledBack>;
  planGeneration(generation: number | null, reason: ChangeReason): Promise<GenerationPlan>;
  /** `plain`: whether or not a trial waits for it. */
  restart(options?: { readonly plain: boolean }): Promise<Restarting>;
  conclude(conclusion: Conclusion): Promise<null>;
  prove(verdict: Verdict): Promise<BootProof | null>;
  retry(wanted: Wanted | null): Promise<Retry>;
  history(): Promise<History>;
  pin(generation: number, pinned: boolean): Promise<SystemResults["pin"]>;
  collect(limits: RetentionLimits, dryRun: boolean): Promise<Collected>;
  status(): Promise<SystemStatus>;
  /** `share`: one part of so many of the store's bytes is read. */
  drift(options: LookOptions): Promise<DriftReport>;
  repair(options: LookOptions): Promise<RepairReport>;
}

/** How closely a machine is looked at. */
export interface LookOptions {
  readonly deep: boolean;
  readonly share: number;
}

/** What a client's caller may want beside the results. */
export interface SystemClientOptions {
  readonly onEvent?: (event: SystemEvent) => void;
  readonly signal?: AbortSignal;
}

/** Calls on `system`; its events go to `onEvent`, what it throws is thrown on. */
export function systemClient(system: System, options: SystemClientOptions = {}): SystemClient {
  async function ask<R extends SystemRequest>(request: R): Promise<SystemResults[R["kind"]]> {
    for await (const message of system.send(request, options.signal)) {
      if (message.type === "result") return message.result;
      options.onEvent?.(message);
    }
    throw new Fault("system/no-result", `${request.kind}: expected a result, got none`);
  }
  return {
    recover: ({ judges } = { judges: false }) => ask({ kind: "recover", judges }),
    runs: (sourcesDigest) => ask({ kind: "runs", sourcesDigest }),
    build: (sources, reason) => ask({ kind: "build", sources, reason }),
    fetch: (signed, sources, reason, caches = []) =>
      ask({ kind: "fetch", signed, sources, reason, ...(caches.length === 0 ? {} : { caches }) }),
    preview: (sources, signed) => ask({ kind: "preview", sources, signed: signed ?? null }),
    plan: (closure, keep = false) => ask({ kind: "plan", closure, keep }),
    try: (plan, { watchMs = 0, judging = null, approved } = {}) =>
      ask({ kind: "try", plan, watchMs, judging, ...(approved === undefined ? {} : { approved }) }),
    commit: (trial, verdict) => ask({ kind: "commit", trial, verdict }),
    rollBack: (trial, verdict) => ask({ kind: "roll-back", trial, verdict }),
    planGeneration: (generation, reason) => ask({ kind: "plan-generation", generation, reason }),
    restart: ({ plain } = { plain: false }) =>
      ask({ kind: "restart", ...(plain ? { plain } : {}) }),
    conclude: (conclusion) => ask({ kind: "conclude", ...conclusion }),
    prove: (verdict) => ask({ kind: "prove", verdict }),
    retry: (wanted) => ask({ kind: "retry", wanted }),
    history: () => ask({ kind: "history" }),
    status: () => ask({ kind: "status" }),
    drift: (options) => ask({ kind: "drift", ...options }),
    repair: (options) => ask({ kind: "repair", ...options }),
    pin: (generation, pinned) => ask({ kind: "pin", generation, pinned }),
    collect: (limits, dryRun) => ask({ kind: "collect", limits, dryRun }),
  };
}
