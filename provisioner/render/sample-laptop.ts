import type { CompiledProfile } from "#provisioner/profiles/profile.ts";
import { noMatch, type TryOptions } from "./try-render.ts";

const profile: CompiledProfile = {
  ...{ id: "acme/laptop", title: "Laptop", vendor: "Acme", lineage: ["acme/laptop"] },
  ...{ status: { level: "declared", evidence: "none" }, witness: null, quirks: [] },
  match: { any: [{ all: { dmi: { sysVendor: "Acme" } } }] },
  nixos: { imports: [], options: {}, platform: null, modules: [] },
  kernel: { min: null, params: {}, modules: [], blacklist: [] },
  initrd: { availableModules: [], modules: [] },
  network: { renderer: "NetworkManager" },
  install: {},
};

/** A laptop whose profile asks for NetworkManager, for tests. */
export const laptop: TryOptions = {
  profiles: { v: 1, profiles: [profile] },
  match: { ...noMatch, profile: profile.id, applied: profile.id, confidence: "certain" },
};
