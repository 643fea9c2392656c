import { readFacts } from "#agent/facts/read-facts.ts";
import { readSettings } from "#agent/settings.ts";
import type { Json } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { type Finding, formatFinding, hasErrors } from "#core/finding.ts";
import type { Io } from "#core/io.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { chooseDisk, type DiskChoice, type DiskRequest } from "#provisioner/install/choose-disk.ts";
import type { DiskContent, DiskReport } from "#provisioner/install/disk-report.ts";
import { installBase } from "#provisioner/install/install-base.ts";
import { keepHome, wishesOfKept } from "#provisioner/install/keep-home.ts";
import type { Layout } from "#provisioner/install/layout.ts";
import { disksOf, leastDiskBytes, makeLayout } from "#provisioner/install/make-layout.ts";
import { type InstallPlan, makePlan } from "#provisioner/install/plan.ts";
import { type Asked, decideWishes, remarksOf } from "#provisioner/install/wishes.ts";
import { matchProfile } from "#provisioner/profiles/match.ts";
import { appliedProfile, type ProfileSet } from "#provisioner/profiles/profile.ts";
import { readPins, releaseOf } from "#provisioner/render/decide-base.ts";
import type { Documents } from "#provisioner/userdata/translate.ts";
import type { Translation } from "#provisioner/userdata/translation.ts";
import { findAssets, profilesOf } from "./assets.ts";
import { renderDocuments } from "./render-documents.ts";

/** What an installation is planned from. */
export interface InstallQuestion {
  readonly io: Io;
  readonly facts: Facts;
  readonly report: DiskReport;
  readonly profiles: ProfileSet;
  readonly asked: Asked;
  /** Disks by id that a person named. */
  readonly named: readonly string[];
  readonly documents: Documents;
  readonly translate: (documents: Documents) => Promise<Translation>;
  /** A system in the store of the medium, instead of building one. */
  readonly toplevel?: string | undefined;
  readonly stateVersion?: string | undefined;
  /** Every UUID of the new disks comes from it. */
  readonly seed: string;
}

/** Facts and profiles of this machine. */
export async function thisMachine(io: Io): Promise<{ facts: Facts; profiles: ProfileSet }> {
  return {
    facts: readFacts(io),
    profiles: await profilesOf(io.files, await readSettings(io.files)),
  };
}

/**
 * Facts -> profile -> disk -> layout -> configuration -> steps. Changes nothing. Throws the reason why
 * there is no plan; that of a disk has a finding for everything that speaks against each of them.
 */
export async function planInstallation(question: InstallQuestion): Promise<InstallPlan> {
  const { facts, profiles, report, documents } = question;
  if (facts.firmware.type !== "uefi")
    throw new Fault(
      "install/no-uefi",
      `the machine was started by ${facts.firmware.type ?? "nobody knows what"}, and every layout needs UEFI`,
    );
  const match = matchProfile(facts, profiles);
  const profile = appliedProfile(match, profiles);
  const wishes = decideWishes(question.asked, profile, facts);
  const kept = question.asked.keepHome === true ? keptContent(report, question.named) : undefined;
  const layoutWishes = kept === undefined ? wishes.layout : wishesOfKept(kept, wishes.layout);
  const request: DiskRequest = {
    named: question.named,
    count: disksOf(layoutWishes),
    transports: wishes.transports,
    minBytes: leastDiskBytes(layoutWishes, facts.memoryBytes),
  };
  const choice = chooseDisk(report, request);
  if (choice.kind === "refused") throw refusal(choice);
  const ground = { disks: choice.disks, memoryBytes: facts.memoryBytes, seed: question.seed };
  const layout =
    kept === undefined ? makeLayout(layoutWishes, ground) : keepHome(layoutWishes, ground, kept);
  const { sources, findings } = await renderConfiguration(question, layout);
  if (hasErrors(findings))
    throw new Fault("user-data/invalid", "the seed has errors", { findings });
  const isUnsure = match.confidence === "disputed" || match.confidence === "ambiguous";
  const { named: _, ...asked } = request;
  return makePlan({
    machine: {
      product: facts.dmi?.productName ?? facts.deviceTree?.model ?? null,
      profile: match.applied,
      confidence: match.confidence,
    },
    reasons:
      kept === undefined
        ? wishes.reasons
        : [
            {
              what: "layout",
              value: layoutWishes.name,
              why: "it is what stands on the disk, and /home is kept",
            },
          ],
    remarks: remarksOf(facts),
    request: asked,
    layout,
    verdicts: choice.verdicts,
    warnings: [
      ...(isUnsure
        ? ["what machine this is, is not sure: `firstlight profiles match` says why"]
        : []),
      ...(documents.userData === undefined
        ? ["no seed was given: nobody can log in until the first start finds one"]
        : []),
      ...findings.filter(({ level }) => level === "warning").map(formatFinding),
    ],
    sources,
    system:
      question.toplevel === undefined
        ? { kind: "build", nixpkgs: sources.nixpkgs }
        : { kind: "medium", toplevel: question.toplevel },
  });
}

/** What stands on the disk whose home is to be kept. */
function keptContent(report: DiskReport, named: readonly string[]): DiskContent {
  const [id] = named;
  const content = report.content[report.links[id ?? ""] ?? ""];
  if (named.length === 1 && content != null) return content;
  throw new Fault("install/nothing-to-keep", "a home is kept on one disk that is named", {
    hint: "name it with --disk",
  });
}

async function renderConfiguration(question: InstallQuestion, layout: Layout) {
  const { io, facts, report, documents } = question;
  const settings = await readSettings(io.files);
  const pins = readPins(io);
  const release = releaseOf(io.files, pins.nixpkgs);
  const stateVersion = question.stateVersion ?? settings.stateVersion ?? release;
  if (stateVersion === undefined)
    throw new Fault(
      "base/no-release",
      "the release of NixOS is not known: no pinned nixpkgs says it, and the settings do not either",
      { hint: "give it: --state-version 25.11" },
    );
  const base = installBase({
    ...{ layout, pins, release, stateVersion, agentModule: findAssets().agentModule() },
    disks: layout.disks.flatMap(({ binding }) => report.links[binding.id] ?? []),
    settings: settings as { readonly [key: string]: Json },
  });
  const withoutSecrets = async (some: Documents) => {
    const translation = await question.translate(some);
    const [name] = translation.secrets.keys();
    if (name === undefined) return translation;
    throw new Fault(
      "install/seed-secrets",
      `the seed holds a secret (${name}), and a plan holds none`,
    );
  };
  return renderDocuments(documents, withoutSecrets, { facts, base });
}

/** The refusal as a fault, with what speaks against each disk. */
function refusal(choice: Extract<DiskChoice, { readonly kind: "refused" }>): Fault {
  return new Fault(choice.code, choice.message, {
    hint: choice.hint,
    findings: diskFindings(choice),
  });
}

/** What speaks against each disk, one finding each. */
export function diskFindings({ verdicts }: Pick<DiskChoice, "verdicts">): readonly Finding[] {
  return verdicts.flatMap(({ id, name, refusals }) =>
    refusals.map(({ code, message, yieldsToName }) => ({
      ...{ document: id ?? name, path: "", line: null, column: null, level: "note" as const },
      ...{
        code,
        message,
        hint: yieldsToName && id !== null ? `--disk ${id} takes it all the same` : null,
      },
    })),
  );
}
