import { type CompiledProfile, profileSet } from "#provisioner/profiles/profile.ts";
import { sampleProfile } from "#provisioner/profiles/sample-profile.ts";
import { noMatch, type TryOptions } from "./try-render.ts";

const profile: CompiledProfile = {
  ...sampleProfile("acme/laptop", { match: { any: [{ all: { dmi: { sysVendor: "Acme" } } }] } }),
  network: { renderer: "NetworkManager" },
};

/** A laptop whose profile asks for NetworkManager, for tests. */
export const laptop: TryOptions = {
  profiles: profileSet([profile]),
  match: { ...noMatch, profile: profile.id, applied: profile.id, confidence: "certain" },
};
