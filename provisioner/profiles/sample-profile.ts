import type { Rule } from "#generated/provisioner/profiles/profile.ts";
import type { CompiledProfile } from "./profile.ts";

/** A profile with rules only, for tests and measurements. */
export function sampleProfile(
  id: string,
  rules: { readonly match: Rule; readonly witness?: Rule; readonly lineage?: readonly string[] },
): CompiledProfile {
  return {
    id,
    title: id,
    vendor: "Test",
    kind: "model",
    status: { level: "declared", evidence: "none" },
    lineage: rules.lineage ?? [id],
    match: rules.match,
    witness: rules.witness ?? null,
    nixos: { imports: [], options: {}, platform: null, modules: [] },
    kernel: { min: null, params: {}, modules: [], blacklist: [] },
    initrd: { availableModules: [], modules: [] },
    network: {},
    install: {},
    power: null,
    quirks: [],
  };
}
