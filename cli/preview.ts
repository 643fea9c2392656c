import { previewCredentials } from "#agent/secrets/credential-store.ts";
import { byPlace, type Finding } from "#core/finding.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { genericFacts } from "#provisioner/facts/generic-facts.ts";
import { matchProfile } from "#provisioner/profiles/match.ts";
import type { Base } from "#provisioner/render/base.ts";
import { type RenderResult, render } from "#provisioner/render/render.ts";
import type { Translation } from "#provisioner/userdata/translation.ts";
import { findAssets } from "./assets.ts";

/** Release that is written where nobody says which one the machine has. */
const previewStateVersion = "25.11";

/** What is known beside the documents. */
export interface PreviewOptions {
  readonly facts?: Facts;
  readonly instanceId?: string;
  readonly stateVersion?: string;
  /** What the system stands on, where that is known: of an installation. */
  readonly base?: Base;
}

/**
 * Everything to say of documents that a translation was made from, with what only shows when they
 * are rendered: templates that do not exist, places that are not theirs.
 */
export async function everyFinding(translation: Translation): Promise<readonly Finding[]> {
  const { findings } = await renderPreview(translation, {});
  return [...translation.findings, ...findings].sort(byPlace);
}

/** Renders as a node would, on any machine: no pins, no own configuration, credentials only named. */
export async function renderPreview(
  translation: Translation,
  options: PreviewOptions,
): Promise<RenderResult> {
  const assets = findAssets();
  const profiles = await assets.profiles();
  const facts = options.facts ?? genericFacts("x86_64");
  const names = (translation.spec.templates ?? []).map((use) => use.name);
  return render({
    spec: translation.spec,
    facts,
    profiles,
    match: matchProfile(facts, profiles),
    templates: await assets.templates(),
    checkParameters: await assets.parameterCheck(names),
    credentials: previewCredentials(translation.secrets),
    origins: translation.origins,
    instanceId: options.instanceId ?? "preview",
    base: options.base ?? {
      kind: "platform",
      isPreview: true,
      files: [],
      platform: null,
      pins: {},
      stateVersion: options.stateVersion ?? previewStateVersion,
      settings: {},
      mutableUsers: translation.spec.mutableUsers ?? true,
      local: null,
      agentModule: assets.agentModule(),
    },
  });
}
