import { list, ref } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign, type Concern, firstSaid } from "./assignment.ts";

/** Packages for everybody. */
export function renderPackages(concern: Concern): readonly Assignment[] {
  const { packages = [] } = concern.spec;
  if (packages.length === 0) return [];
  const value = list(packages.map((name) => ref("pkgs", ...name.split("."))));
  const from = packages.map((_, index) => ["packages", String(index)]);
  return [assign(["environment", "systemPackages"], value, firstSaid(concern, from))];
}
