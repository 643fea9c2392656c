import type { Network } from "#generated/provisioner/spec/v1.ts";
import {
  attrs,
  bind,
  bool,
  call,
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
  const enable = assign([...path, "enable"], winning(concern.base, bool(true)), from);
  const noNetworkd = assign(
    ["networking", "useNetworkd"],
    winning(concern.base, bool(false)),
    from,
  );
  return [
    ...(isSaid ? [] : [enable]),
    ...(concern.base.kind === "adopted" ? [noNetworkd] : []),
    assign(["networking", "useDHCP"], winning(concern.base, bool(false)), from),
    ...renderProfiles(profiles),
    ...renderCountry(network),
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
