import type { Network, Spec } from "#generated/provisioner/spec/v1.ts";
import { bool } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign, type Concern, winning } from "./assignment.ts";
import { fitNetwork } from "./fit-network.ts";
import { checkClashes } from "./network-clash.ts";
import { renderManager } from "./network-manager.ts";
import { checkRenderer, optionValue } from "./network-renderer.ts";
import { wireguardFile } from "./network-secret-files.ts";
import { networkSecretPath } from "./network-secrets.ts";
import { linkKinds } from "./networkd/links.ts";
import { type NetworkdUnit, section } from "./networkd/sections.ts";
import { unitOptions } from "./networkd/unit-options.ts";
import { unitText } from "./networkd/unit-text.ts";
import { networkdUnits } from "./networkd/units.ts";
import { leaveToNetworkd } from "./unmanaged.ts";
import { renderWifis } from "./wifi.ts";

/** A file of systemd-networkd. */
export interface NetworkdFile {
  /** File name: `10-lan.network`. */
  readonly name: string;
  readonly content: string;
}

/** The network of the spec as options of what sets it up; nothing where the spec says nothing. */
export function renderNetwork(concern: Concern): readonly Assignment[] {
  const { network = {} } = concern.spec;
  if (linkKinds.every((kind) => Object.keys(network[kind] ?? {}).length === 0)) return [];
  checkRenderer(concern);
  checkClashes(concern, network);
  const fitting = fitNetwork(concern, network);
  if (concern.networkRenderer.renderer === "networkd") return renderNetworkd(concern, fitting);
  return [...renderManager(concern, fitting), ...renderLinks(fitting)];
}

function renderNetworkd(concern: Concern, fitting: Network): readonly Assignment[] {
  const option = ["networking", "useNetworkd"];
  const isSaid = optionValue(concern.spec, option) === true;
  const units = networkdUnits(fitting, (ref) => networkSecretPath(wireguardFile(ref)));
  return [
    ...(isSaid ? [] : [assign(option, winning(concern.base, bool(true)), ["network"])]),
    assign(["networking", "useDHCP"], winning(concern.base, bool(false)), ["network"]),
    ...leaveToNetworkd(concern, fitting),
    ...unitAssignments(units, "netdev"),
    ...unitAssignments(units, "network"),
    ...unitAssignments(units, "link"),
    ...renderWifis(concern, fitting),
  ];
}

/** Names and settings of devices, which udev gives them, whatever sets the network up. */
function renderLinks(network: Network): readonly Assignment[] {
  return unitAssignments(
    networkdUnits(network, () => undefined),
    "link",
  );
}

function unitAssignments(
  units: readonly NetworkdUnit[],
  kind: NetworkdUnit["kind"],
): readonly Assignment[] {
  return units
    .filter((unit) => unit.kind === kind)
    .map((unit) =>
      assign(["systemd", "network", `${kind}s`, unit.name], unitOptions(unit), unit.from),
    );
}

/**
 * The same network as files for /run/systemd/network, in force before anything is built. What needs a
 * secret comes with the first generation. The machine's name servers stand with every interface: what
 * a generation says of them to the whole machine is not there yet.
 */
export function networkdFiles({ network = {}, resolver = {} }: Spec): readonly NetworkdFile[] {
  const names = section("network", "Network", [
    ["DNS", resolver.nameservers],
    ["Domains", resolver.search],
  ]);
  return networkdUnits(network, () => undefined).map((unit) => ({
    name: `${unit.name}.${unit.kind}`,
    content: unitText(
      unit.kind === "network" ? { ...unit, sections: [...unit.sections, ...names] } : unit,
    ),
  }));
}
