import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import type { Code } from "#core/codes.ts";
import { Fault } from "#core/fault.ts";
import type { Confidence } from "#provisioner/profiles/profile.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import type { ApprovedDisk } from "./approval.ts";
import type { DiskRequest, DiskVerdict } from "./choose-disk.ts";
import { diskoConfiguration } from "./disko.ts";
import type { Layout } from "./layout.ts";
import { type RepartFile, repartDefinitions } from "./repart.ts";
import { type InstallStep, installSteps, type SystemSource } from "./steps.ts";
import type { Reason } from "./wishes.ts";

/**
 * An installation as it was shown to a person: plain JSON without a secret. `apply` does exactly the
 * steps that stand here; the digest is of all the rest, so that nothing in it can be another.
 */
export interface InstallPlan extends PlanBody {
  /** SHA-256 of the canonical JSON of all other keys. */
  readonly digest: string;
}

interface PlanBody {
  readonly v: 1;
  readonly kind: "install-plan";
  readonly machine: PlannedMachine;
  readonly reasons: readonly Reason[];
  readonly remarks: readonly string[];
  readonly request: Omit<DiskRequest, "named">;
  readonly disks: readonly ApprovedDisk[];
  /** Disks that are not taken. */
  readonly left: readonly LeftDisk[];
  readonly layout: Layout;
  readonly configuration: Pick<Sources, "digest" | "files">;
  readonly warnings: readonly string[];
  readonly system: SystemSource;
  /** For people who use them instead; the steps do not. */
  readonly alternatives: {
    readonly repart: readonly RepartFile[];
    readonly disko: string;
  } | null;
  readonly steps: readonly InstallStep[];
}

/** What machine the plan is for. */
export interface PlannedMachine {
  readonly product: string | null;
  readonly profile: string | null;
  readonly confidence: Confidence;
}

export interface LeftDisk {
  readonly id: string | null;
  readonly name: string;
  readonly sizeBytes: number | null;
  readonly why: readonly { readonly code: Code; readonly message: string }[];
}

/** What a plan is made from. */
export interface PlanParts
  extends Pick<PlanBody, "machine" | "reasons" | "remarks" | "request" | "layout" | "warnings"> {
  readonly verdicts: readonly DiskVerdict[];
  readonly sources: Pick<Sources, "digest" | "files">;
  readonly system: SystemSource;
}

/** Puts a plan together. Pure: the same parts give the same digest. */
export function makePlan(parts: PlanParts): InstallPlan {
  const { layout, sources, system, verdicts } = parts;
  const { machine, reasons, remarks, request, warnings } = parts;
  const taken = layout.disks.map(({ binding }) => binding.id);
  const body: PlanBody = {
    ...{ v: 1, kind: "install-plan", layout, system },
    ...{ machine, reasons, remarks, request, warnings },
    disks: layout.disks.map(({ binding, tableId }) => ({ ...binding, tableId })),
    left: verdicts
      .filter(({ id }) => id === null || !taken.includes(id))
      .map(({ id, name, sizeBytes, refusals }) => ({
        ...{ id, name, sizeBytes },
        why: refusals.map(({ code, message }) => ({ code, message })),
      })),
    configuration: { digest: sources.digest, files: sources.files },
    // Neither of them keeps anything.
    alternatives:
      layout.kept === true
        ? null
        : { repart: repartDefinitions(layout), disko: diskoConfiguration(layout) },
    steps: installSteps({ layout, sources, system }),
  };
  // As it is read back, so that the digest is that of the file.
  const plain = JSON.parse(canonicalJson(body)) as PlanBody;
  return { ...plain, digest: digestOf(plain) };
}

/**
 * Reads a plan that was saved. Its steps must be those that its layout gives today: what another
 * version would do otherwise, or a hand has changed, is not done. Throws `install/plan-invalid`.
 */
export function readPlan(text: string, name: string): InstallPlan {
  const invalid = (what: string, cause?: unknown) =>
    new Fault("install/plan-invalid", `${name}: ${what}`, cause === undefined ? {} : { cause });
  let plan: InstallPlan;
  try {
    plan = JSON.parse(text) as InstallPlan;
  } catch (cause) {
    throw invalid("not JSON", cause);
  }
  if (plan?.v !== 1 || plan.kind !== "install-plan") throw invalid("no plan of an installation");
  const { digest, ...body } = plan;
  if (digestOf(body) !== digest)
    throw invalid("it is not what its digest says: somebody has changed it");
  const steps = installSteps({
    ...{ layout: plan.layout, sources: plan.configuration, system: plan.system },
  });
  if (canonicalJson(steps) !== canonicalJson(plan.steps))
    throw invalid("its steps are not those of this version of firstlight");
  return plan;
}

function digestOf(body: PlanBody): string {
  return sha256(canonicalJson(body));
}
