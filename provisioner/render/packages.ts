import { list, ref } from "#provisioner/nix-language/tree.ts";
import { type Assignment, addFinding, assign, type Concern, firstSaid } from "./assignment.ts";
import { isUnfree } from "./unfree-packages.ts";

/** Packages for everybody. */
export function renderPackages(concern: Concern): readonly Assignment[] {
  const { packages = [] } = concern.spec;
  if (packages.length === 0) return [];
  warnOfUnfree(concern);
  const value = list(packages.map((name) => ref("pkgs", ...name.split("."))));
  const from = packages.map((_, index) => ["packages", String(index)]);
  return [assign(["environment", "systemPackages"], value, firstSaid(concern, from))];
}

/** The options under which the leave for such packages may stand. */
const unfreeOption = /^nixpkgs(?:\.config(?:\.allowUnfree.*)?)?$/;

/** Without leave nixpkgs refuses to evaluate one, and the whole system with it. */
function warnOfUnfree(concern: Concern): void {
  const { packages = [], options = {} } = concern.spec;
  if (Object.keys(options).some((name) => unfreeOption.test(name))) return;
  for (const [index, name] of packages.entries()) {
    if (!isUnfree(name)) continue;
    const message =
      "the licence of this package is not free: nixpkgs refuses it, and the whole system with it, unless that is allowed";
    const hint = "set nixpkgs.config.allowUnfree to true under `options` (`firstlight: options`)";
    const from = ["packages", String(index)];
    addFinding(concern, from, "warning", "render/unfree-package", message, hint);
  }
}
