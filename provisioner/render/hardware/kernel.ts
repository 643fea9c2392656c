import { call, ref, str } from "#provisioner/nix-language/tree.ts";
import type { CompiledProfile } from "#provisioner/profiles/profile.ts";
import { type Assignment, assign } from "../assignment.ts";
import { lists } from "./lists.ts";

/**
 * Parameters, modules, and what the profile expects of the kernel's release. Modules that are `needed`
 * are kept from no one.
 */
export function renderKernel(
  profile: CompiledProfile | null,
  needed: readonly string[],
): readonly Assignment[] {
  const blacklist = (profile?.kernel.blacklist ?? []).filter((name) => !needed.includes(name));
  const params = Object.entries(profile?.kernel.params ?? {}).map(([key, value]) =>
    str(value === true ? key : `${key}=${value}`),
  );
  return [
    ...renderOldestKernel(profile),
    ...lists(["boot", "kernelParams"], params),
    ...lists(["boot", "kernelModules"], (profile?.kernel.modules ?? []).map(str)),
    ...lists(["boot", "blacklistedKernelModules"], blacklist.map(str)),
  ];
}

/** Nothing is refused: an owner may have taken the driver into an older kernel. */
function renderOldestKernel(profile: CompiledProfile | null): readonly Assignment[] {
  const oldest = profile?.kernel.min ?? null;
  if (profile === null || oldest === null) return [];
  const version = ref("config", "boot", "kernelPackages", "kernel", "version");
  const isOlder = call(ref("lib", "versionOlder"), version, str(oldest));
  const text = str(`${profile.title}: expected Linux ${oldest} or newer.`);
  return [assign(["warnings"], call(ref("lib", "optional"), isOlder, text))];
}
