import { list, ref } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign, type Concern } from "./assignment.ts";

/** Packages for everybody. */
export function renderPackages({ spec }: Concern): readonly Assignment[] {
  if (spec.packages === undefined || spec.packages.length === 0) return [];
  const packages = spec.packages.map((name) => ref("pkgs", ...name.split(".")));
  return [assign(["environment", "systemPackages"], list(packages), ["packages"])];
}
