import type { Network } from "#generated/provisioner/spec/v1.ts";
import {
  attrs,
  bind,
  bool,
  call,
  ifElse,
  int,
  join,
  list,
  type NixExpr,
  ref,
  str,
} from "#provisioner/nix-language/tree.ts";
import { type Assignment, addFinding, assign, type Concern, winning } from "./assignment.ts";
import { leavingUnit, managerLeave } from "./manager-leave.ts";
import { managerProfilesAfter, managerProfilesBefore } from "./manager-shell.ts";
import { profileOptions } from "./network-manager/profile-options.ts";
import { managerProfiles } from "./network-manager/profiles.ts";
import type { Profile } from "./network-manager/sections.ts";
import type { Tell } from "./network-manager/tell.ts";
import { optionValue } from "./network-renderer.ts";
import { managerFile, secretRefsOf } from "./network-secret-files.ts";
import { networkSecretPath } from "./network-secrets.ts";

const path = ["networking", "networkmanager"];
const unit = ["systemd", "services", "NetworkManager-ensure-profiles"];

/**
 * The network of the spec as profiles of NetworkManager, which NixOS writes to memory as it starts.
 * Names and settings of devices are udev's here as well: see `network.ts`.
 */
export function renderManager(concern: Concern, network: Network): readonly Assignment[] {
  const profiles = managerProfiles(network, tellOf(concern));
  const from = ["network"];
  const isSaid = optionValue(concern.spec, [...path, "enable"]) !== undefined;
  return [
    ...(isSaid ? [] : [assign([...path, "enable"], enabled(concern), from)]),
    ...leaveOutNetworkd(concern),
    assign(["networking", "useDHCP"], winning(concern.base, bool(false)), from),
    ...renderProfiles(profiles),
    ...renderCountry(network),
  ];
}

/** What a hardware profile chooses counts less than what the machine's own configuration says. */
function enabled({ base, networkRenderer: { isByProfile, networkdAskedBy } }: Concern): NixExpr {
  if (isByProfile) return call(ref("lib", "mkDefault"), bool(true));
  return networkdAskedBy === undefined ? winning(base, bool(true)) : overriding(true);
}

const notAlone =
  "The hardware profile has NetworkManager set the network up, and the configuration of this machine has " +
  "systemd-networkd do it, or NetworkManager off: say `network: { renderer: networkd }` or " +
  "`network: { renderer: NetworkManager }` in the spec.";

function overriding(value: boolean): NixExpr {
  return call(ref("lib", "mkOverride"), int(90), bool(value));
}

/**
 * One program has the network. The spec's word takes networkd away from whoever asks for it; where the
 * hardware profile has chosen alone, and what cannot be read here asks for networkd, only Nix can tell.
 */
function leaveOutNetworkd(concern: Concern): readonly Assignment[] {
  const { base, spec, networkRenderer } = concern;
  const from = ["network"];
  const useNetworkd = ["networking", "useNetworkd"];
  const networkd = ["systemd", "network", "enable"];
  if (networkRenderer.isByProfile) {
    const isOther = join("||", [ref("config", ...useNetworkd), ref("config", ...networkd)]);
    const isAlone = ifElse(isOther, bool(false), ref("config", ...path, "enable"));
    const assertion = attrs([bind("assertion", isAlone), bind("message", str(notAlone))]);
    return [assign(["assertions"], list([assertion]), from)];
  }
  const isAsked = networkRenderer.networkdAskedBy !== undefined;
  const isSaid = spec.network?.renderer === "NetworkManager";
  return [
    ...(base.kind === "adopted" || isAsked ? [assign(useNetworkd, overriding(false), from)] : []),
    ...(isAsked && isSaid ? [assign(networkd, overriding(false), from)] : []),
  ];
}

function renderProfiles(profiles: readonly Profile[]): readonly Assignment[] {
  if (profiles.length === 0) return [];
  const ensure = [...path, "ensureProfiles"];
  const hasSecrets = secretRefsOf(profiles).length > 0;
  const files = list([str(networkSecretPath(managerFile))]);
  return [
    ...(hasSecrets ? [assign([...ensure, "environmentFiles"], files, ["network"])] : []),
    ...profiles.map((profile) =>
      assign([...ensure, "profiles", profile.name], profileOptions(profile), profile.from),
    ),
    assign(["systemd", "services", leavingUnit], leaving),
    assign([...unit, "wants"], list([str(`${leavingUnit}.service`)])),
    assign([...unit, "after"], list([str("NetworkManager.service")])),
    assign([...unit, "path"], list([ref("pkgs", "networkmanager")])),
    assign([...unit, "preStart"], first(managerProfilesBefore)),
    assign([...unit, "postStart"], str(managerProfilesAfter)),
  ];
}

/**
 * Stopped before NetworkManager where a switch stops both. It is one that a switch restarts where it is
 * another one, and never stops and starts: what it does when it is stopped is for good.
 */
const leaving = attrs([
  bind("description", str("Take the profiles of NetworkManager away with their generation")),
  bind("wantedBy", list([str("multi-user.target")])),
  bind("after", list([str("NetworkManager.service")])),
  bind("before", list([str("NetworkManager-ensure-profiles.service")])),
  bind("path", list([ref("pkgs", "networkmanager"), ref("pkgs", "iproute2")])),
  bind("stopIfChanged", bool(false)),
  bind("preStop", str(managerLeave)),
  bind(
    "serviceConfig",
    attrs([
      bind("Type", str("oneshot")),
      bind("RemainAfterExit", bool(true)),
      bind("TimeoutStopSec", str("1min")),
    ]),
  ),
]);

/** Before whatever else the image has there. */
function first(text: string): NixExpr {
  return call(ref("lib", "mkBefore"), str(text));
}

/** Which country a radio is in is the kernel's to know: no profile says it. */
function renderCountry({ wifis = {} }: Network): readonly Assignment[] {
  const names = Object.keys(wifis).sort();
  const name = names.find((each) => wifis[each]?.regulatoryDomain !== undefined);
  const country = name === undefined ? undefined : wifis[name]?.regulatoryDomain;
  if (name === undefined || country === undefined) return [];
  const from = ["network", "wifis", name, "regulatoryDomain"];
  return [
    assign(["hardware", "wirelessRegulatoryDatabase"], bool(true), from),
    assign(
      ["boot", "extraModprobeConfig"],
      str(`options cfg80211 ieee80211_regdom=${country}\n`),
      from,
    ),
  ];
}

function tellOf(concern: Concern): Tell {
  return ({ path: at, message, hint, level = "warning" }) => {
    const otherwise = level === "warning" ? byNetworkd : null;
    addFinding(concern, at, level, "render/network-manager", message, hint ?? otherwise);
  };
}

const byNetworkd = "say `renderer: networkd` to have it as it is written";
