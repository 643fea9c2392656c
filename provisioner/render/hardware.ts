import type { Facts } from "#generated/provisioner/facts/facts.ts";
import {
  type Comment,
  interpolated,
  type NixExpr,
  path,
  ref,
} from "#provisioner/nix-language/tree.ts";
import { appliedProfile, type Match, type ProfileSet } from "#provisioner/profiles/profile.ts";
import type { Assignment, Concern } from "./assignment.ts";
import { renderFeatures } from "./hardware/features.ts";
import { renderGraphics } from "./hardware/graphics.ts";
import { renderGuest } from "./hardware/guests.ts";
import { leftOut, nixosHardware, offered, tellOfImports, titleOf } from "./hardware/imports.ts";
import { renderInitrd } from "./hardware/initrd.ts";
import { renderKernel } from "./hardware/kernel.ts";
import { namedFor } from "./hardware/option-names.ts";
import { renderPower } from "./hardware/power.ts";
import {
  renderArchitecture,
  renderMicrocode,
  withoutForeignMicrocode,
} from "./hardware/processor.ts";
import { optionAssignments } from "./hardware/profile-options.ts";
import { renderPlatform } from "./platform-options.ts";
import type { SourceFile } from "./sources.ts";
import type { UnfreeConsent } from "./unfree.ts";

/** What hardware adds to a system. */
export interface RenderedHardware {
  /** Comment at the head of the file. */
  readonly title: string;
  readonly imports: readonly (NixExpr | Comment)[];
  readonly assignments: readonly Assignment[];
  readonly files: readonly SourceFile[];
}

/** What the machine is, and what is known of its like. */
export interface HardwareInput {
  readonly facts: Facts;
  readonly match: Match;
  readonly profiles: ProfileSet;
  /** Packages that are not free and that somebody agreed to. */
  readonly consents: readonly UnfreeConsent[];
}

/** The profile's part, and what the facts alone say: drivers of the disks, microcode, platform. */
export function renderHardware(
  concern: Concern,
  { facts, match, profiles, consents }: HardwareInput,
): RenderedHardware {
  const { base, spec } = concern;
  const profile = appliedProfile(match, profiles);
  const platform = base.kind === "platform" ? (profile?.nixos.platform ?? null) : null;
  const files = (profile?.nixos.modules ?? []).map((module) => ({
    path: `firstlight/hardware-profiles/${fileName(module.id)}.nix`,
    content: module.text,
    mode: 0o644,
  }));
  tellOfImports(concern, profile, profiles);
  const graphics = renderGraphics(concern, facts, consents);
  const assignments = unique([
    ...renderArchitecture(facts),
    ...renderKernel(profile, graphics.needsNouveau ? ["nouveau"] : []),
    ...renderInitrd(concern, profile, facts),
    ...renderMicrocode(facts),
    ...graphics.assignments,
    ...renderPower(concern, facts, profile),
    ...renderFeatures(facts, profile),
    ...renderGuest(facts, profile),
    ...optionAssignments(withoutForeignMicrocode(profile?.nixos.options ?? {}, facts)),
    ...(platform === null
      ? renderPlatform(base.platform, spec)
      : optionAssignments(platform.options)),
  ]);
  return {
    title: [titleOf(profile), ...leftOut(profile, base), ...offered(match, profiles)].join("\n"),
    imports: [
      ...files.map((file) => path(`./${file.path.slice("firstlight/".length)}`)),
      ...(platform?.modules ?? []).map((module) => interpolated(ref("modulesPath"), `/${module}`)),
      ...nixosHardware(profile, base, profiles),
    ],
    assignments: namedFor(base.release, assignments),
    files,
  };
}

/** The first that sets an option wins: facts and kernel before the profile's free options. */
function unique(assignments: readonly Assignment[]): readonly Assignment[] {
  const seen = new Set<string>();
  return assignments.filter(({ path: option }) => {
    const key = option.join("\0");
    return !seen.has(key) && seen.add(key) !== undefined;
  });
}

function fileName(id: string): string {
  return id.replaceAll("/", "-");
}
