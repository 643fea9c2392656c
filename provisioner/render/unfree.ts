import {
  bool,
  call,
  join,
  lambda,
  list,
  type NixExpr,
  ref,
  str,
} from "#provisioner/nix-language/tree.ts";
import { type Assignment, addFinding, assign, type Concern, firstSaid } from "./assignment.ts";
import type { Templates } from "./templates.ts";
import { isAllowed, nvidiaDriver, unfreeNames } from "./unfree-packages.ts";

/** A package that is not free, and who asks for it. */
export interface UnfreeConsent {
  /** As `lib.getName` of nixpkgs gives it, with a star behind the beginning of several; `*` for every package. */
  readonly name: string;
  /** Who asks, for a person: `the spec`, `template nvidia-compute`. */
  readonly by: string;
  /** Path of the spec. */
  readonly from: readonly string[];
}

const everythingOption = "nixpkgs.config.allowUnfree";

/** Every package that somebody agreed to, in the order of the spec and then of its templates, each once. */
export function unfreeConsents(
  { spec }: Pick<Concern, "spec">,
  templates: Templates,
): readonly UnfreeConsent[] {
  const all: readonly UnfreeConsent[] = [
    ...(spec.options?.[everythingOption] === true
      ? [{ name: "*", by: "the spec", from: ["options", everythingOption] }]
      : []),
    ...(spec.unfree ?? []).map((name, index) => ({
      name,
      by: "the spec",
      from: ["unfree", String(index)],
    })),
    ...(spec.templates ?? []).flatMap(({ name, parameters }, index) => {
      const unfree = templates.get(name)?.unfree;
      if (unfree === undefined || parameters?.[unfree.consent] !== true) return [];
      const more = Object.entries(unfree.more).flatMap(([parameter, names]) =>
        parameters[parameter] === true ? names : [],
      );
      return [...unfree.packages, ...more].map((each) => ({
        name: each,
        by: `template ${name}`,
        from: ["templates", String(index), "parameters", unfree.consent],
      }));
    }),
  ];
  const seen = new Set<string>();
  return all.filter(({ name }) => !seen.has(name) && seen.add(name) !== undefined);
}

/** Leave for these packages, and for no other. */
export function renderUnfree(
  concern: Concern,
  consents: readonly UnfreeConsent[],
): readonly Assignment[] {
  const named = consents.filter(({ name }) => name !== "*");
  if (named.length === 0) return [];
  const names = named.map(({ name }) => name);
  const exact = names.filter((name) => !name.endsWith("*"));
  const beginnings = names.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1));
  const nameOf = call(ref("lib", "getName"), ref("package"));
  const isNamed = call(ref("builtins", "elem"), nameOf, list(exact.map(str)));
  const begins = call(ref("lib", "hasPrefix"), ref("beginning"), nameOf);
  const isOfFamily = call(
    ref("builtins", "any"),
    lambda("beginning", begins),
    list(beginnings.map(str)),
  );
  const tests: readonly NixExpr[] = [
    ...(exact.length > 0 ? [isNamed] : []),
    ...(beginnings.length > 0 ? [isOfFamily] : []),
  ];
  const from = firstSaid(
    concern,
    named.map((each) => each.from),
  );
  const predicate = lambda("package", tests.length === 0 ? bool(false) : join("||", tests));
  return [assign(["nixpkgs", "config", "allowUnfreePredicate"], predicate, from)];
}

/** The options under which leave may stand that is not known here by name. */
const otherLeave = /^nixpkgs(?:\.config(?:\.allowUnfree.*)?)?$/;

/** Without leave nixpkgs refuses to evaluate one, and the whole system with it. */
export function warnOfUnfree(concern: Concern, consents: readonly UnfreeConsent[]): void {
  const { packages = [], options = {} } = concern.spec;
  if (Object.keys(options).some((name) => otherLeave.test(name))) return;
  const allowed = consents.map(({ name }) => name);
  for (const [index, attribute] of packages.entries()) {
    const missing = unfreeNames(attribute).filter((name) => !isAllowed(name, allowed));
    if (missing.length === 0) continue;
    const message =
      "the licence of this package is not free: nixpkgs refuses it, and the whole system with it, unless that is allowed";
    const hint = `where you agree to it, write \`unfree: [${missing.map(yamlWord).join(", ")}]\` (in cloud-config under \`firstlight\`)`;
    const from = ["packages", String(index)];
    addFinding(concern, from, "warning", "render/unfree-package", message, hint);
  }
}

/** The driver of NVIDIA, asked for by the option that chooses drivers. */
export function warnOfUnfreeDriver(concern: Concern, consents: readonly UnfreeConsent[]): void {
  const { options = {} } = concern.spec;
  const said: unknown = options[driversOption];
  const allowed = consents.map(({ name }) => name);
  if (!Array.isArray(said) || !said.includes("nvidia") || isAllowed(nvidiaDriver, allowed)) return;
  if (Object.keys(options).some((name) => otherLeave.test(name))) return;
  const message =
    "the driver of NVIDIA is not free: nixpkgs refuses it, and the whole system with it, unless that is allowed";
  const hint = `where you agree to its licence, write \`unfree: [${nvidiaDriver}]\` (in cloud-config under \`firstlight\`)`;
  const from = ["options", driversOption];
  addFinding(concern, from, "warning", "render/unfree-package", message, hint);
}

/** Which drivers X has, and by that whether NixOS builds the one of NVIDIA. */
export const driversOption = "services.xserver.videoDrivers";

function yamlWord(name: string): string {
  return /^[A-Za-z][A-Za-z0-9._-]*$/.test(name) ? name : JSON.stringify(name);
}
