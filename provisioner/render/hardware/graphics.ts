import type { Facts } from "#generated/provisioner/facts/facts.ts";
import {
  bool,
  ifElse,
  join,
  list,
  type NixExpr,
  ref,
  select,
  str,
} from "#provisioner/nix-language/tree.ts";
import { type Assignment, addFinding, assign, type Concern } from "../assignment.ts";
import { driversOption, type UnfreeConsent } from "../unfree.ts";
import { isAllowed, nvidiaDriver, nvidiaSettings } from "../unfree-packages.ts";
import { computed } from "./computed.ts";
import { type GraphicsCards, graphicsCards, type NvidiaCard } from "./graphics-cards.ts";
import type { NvidiaBranch } from "./nvidia-chips.ts";

/** What the graphics cards are driven by. */
export interface RenderedGraphics {
  readonly assignments: readonly Assignment[];
  /** Whether nouveau is to drive a card, so that nothing may keep it from being loaded. */
  readonly needsNouveau: boolean;
}

/** Whether the spec itself asks for the driver: by its list of what is not free, by a template, or by the option. */
export function asksForNvidia({ spec }: Concern, consents: readonly UnfreeConsent[]): boolean {
  // Leave for every package is no wish for this one.
  const named = consents.map(({ name }) => name).filter((name) => name !== "*");
  const said: unknown = spec.options?.[driversOption];
  return isAllowed(nvidiaDriver, named) || (Array.isArray(said) && said.includes("nvidia"));
}

/**
 * Cards of NVIDIA: the maker's driver where somebody agreed to it, in the branch and with the kernel
 * modules that the chip takes, else nouveau. The addresses of both cards are those of this machine.
 */
export function renderGraphics(
  concern: Concern,
  facts: Facts,
  consents: readonly UnfreeConsent[],
): RenderedGraphics {
  const cards = graphicsCards(facts);
  const isAsked = asksForNvidia(concern, consents);
  const [card] = cards.nvidia;
  if (card === undefined) {
    // Not seen, as in a preview: the driver must be told one of the two.
    const assignments = isAsked ? useDriver(concern, "open", consents) : [];
    return { assignments, needsNouveau: false };
  }
  const isUsed = isAsked && card.branch !== "none";
  reportDriver(concern, card, isAsked);
  const assignments = [
    ...(isUsed ? useDriver(concern, card.branch, consents) : openModules(concern, card.branch)),
    ...renderPrime(cards, isUsed && showsIntegrated(cards, facts)),
  ];
  return { assignments, needsNouveau: !isUsed && card.driver !== "nvidia" };
}

/**
 * Whether the screen hangs on the processor's graphics: as firmware says, else as in every laptop. In a
 * desktop nobody knows where it is plugged in.
 */
function showsIntegrated({ integrated }: GraphicsCards, { chassis }: Facts): boolean {
  const isLaptop = chassis === "laptop" || chassis === "convertible" || chassis === "tablet";
  return integrated?.bootVga ?? isLaptop;
}

function set(path: readonly string[], value: NixExpr): Assignment {
  return assign(["hardware", ...path], computed(value));
}

/** Since 560 the driver is built only where one of the two is chosen. */
function openModules({ base }: Concern, branch: NvidiaBranch): readonly Assignment[] {
  const isKnownOption = (base.release ?? "22.11") >= "22.11";
  if (branch === "none" || !isKnownOption) return [];
  return [set(["nvidia", "open"], bool(branch === "open"))];
}

function useDriver(
  concern: Concern,
  branch: NvidiaBranch,
  consents: readonly UnfreeConsent[],
): readonly Assignment[] {
  const names = consents.map(({ name }) => name);
  const said = concern.spec.options?.[driversOption] !== undefined;
  const packageOf = driverPackage(branch);
  return [
    ...(said ? [] : [assign(driversOption.split("."), computed(list([str("nvidia")])))]),
    set(["graphics", "enable"], bool(true)),
    ...openModules(concern, branch),
    ...(packageOf === undefined ? [] : [set(["nvidia", "package"], packageOf)]),
    ...(branch === "340" ? [] : [set(["nvidia", "modesetting", "enable"], bool(true))]),
    set(["nvidia", "nvidiaSettings"], bool(isAllowed(nvidiaSettings, names))),
    ...(needsLicence.has(branch)
      ? [assign(["nixpkgs", "config", "nvidia", "acceptLicense"], bool(true))]
      : []),
  ];
}

/** Branches without open modules, which nixpkgs fetches only where the licence is accepted by an option of its own. */
const needsLicence: ReadonlySet<NvidiaBranch> = new Set(["470", "390", "340"]);

/** The branch of a chip that the newest driver no longer takes. */
function driverPackage(branch: NvidiaBranch): NixExpr | undefined {
  if (branch === "open" || branch === "none") return undefined;
  const packages = ["boot", "kernelPackages", "nvidiaPackages"];
  const legacy = `legacy_${branch}`;
  // A nixpkgs that has no branch 580 of its own has it, or an older one, as the usual driver.
  return branch === "580"
    ? select(ref("config"), [...packages, legacy], ref("config", ...packages, "production"))
    : ref("config", ...packages, legacy);
}

/** Addresses of both chips, and where the screen is on the other one that of NVIDIA for what asks for it. */
function renderPrime(
  { nvidia, integrated }: GraphicsCards,
  isOffered: boolean,
): readonly Assignment[] {
  const [card, second] = nvidia;
  if (card === undefined || second !== undefined || integrated === undefined) return [];
  const prime = (path: readonly string[], value: NixExpr) =>
    set(["nvidia", "prime", ...path], value);
  const other = (name: string) =>
    select(ref("config"), ["hardware", "nvidia", "prime", name, "enable"], bool(false));
  const offload = ref("config", "hardware", "nvidia", "prime", "offload", "enable");
  return [
    prime(["nvidiaBusId"], str(card.busId)),
    prime([`${integrated.maker}BusId`], str(integrated.busId)),
    ...(isOffered
      ? [
          // NixOS takes one of the three ways.
          prime(
            ["offload", "enable"],
            ifElse(join("||", [other("sync"), other("reverseSync")]), bool(false), bool(true)),
          ),
          prime(["offload", "enableOffloadCmd"], offload),
        ]
      : []),
  ];
}

const path = ["unfree"];

/** Says of a card what its owner may want to know: that there is another driver, or that there is none any more. */
function reportDriver(concern: Concern, card: NvidiaCard, isAsked: boolean): void {
  const named = `the graphics card of NVIDIA at ${card.slot} (${card.vendor}:${card.device})`;
  if (!isAsked) {
    if (card.branch === "none" || card.driver === "nvidia") return;
    const message = `${named} is driven by nouveau: the driver of its maker is not free`;
    const hint = `where you agree to its licence, write \`unfree: [${nvidiaDriver}]\` (in cloud-config under \`firstlight\`): then it is used`;
    addFinding(concern, path, "note", "render/nvidia-not-free", message, hint);
  } else if (card.branch === "none") {
    const message = `no driver of NVIDIA takes ${named} any more: nouveau drives it`;
    addFinding(concern, path, "warning", "render/nvidia-none", message);
  } else if (card.branch === "390" || card.branch === "340") {
    const message = `${named} takes only branch ${card.branch} of the driver, which does not build for newer kernels`;
    const hint =
      "set boot.kernelPackages to a kernel that it builds for, or take the driver off the list and leave the card to nouveau";
    addFinding(concern, path, "warning", "render/nvidia-legacy", message, hint);
  }
}
