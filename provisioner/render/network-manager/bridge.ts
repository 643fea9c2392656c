import type { Bridge } from "#generated/provisioner/spec/v1.ts";
import type { Link } from "../networkd/links.ts";
import { type Section, section } from "./sections.ts";
import type { Tell } from "./tell.ts";

/** Seconds that NetworkManager takes; where the spanning tree protocol is off, 0 as well. */
const limits = {
  forwardDelaySeconds: [2, 30],
  helloSeconds: [1, 10],
  maxAgeSeconds: [6, 40],
  ageingSeconds: [0, 1_000_000],
} as const;

/** What is said of a bridge. */
export function bridgeSection(
  { parameters = {} }: Bridge,
  from: readonly string[],
  tell: Tell,
): readonly Section[] {
  const within = (key: keyof typeof limits) => {
    const value = parameters[key];
    const [least, most] = limits[key];
    const isOff = parameters.stp === false && value === 0;
    if (value === undefined || isOff || (value >= least && value <= most)) return value;
    const message = `NetworkManager takes from ${least} to ${most} seconds`;
    tell({ path: [...from, "parameters", key], message });
    return undefined;
  };
  return section("bridge", [
    ["stp", parameters.stp],
    ["priority", parameters.priority],
    ["ageing-time", within("ageingSeconds")],
    ["forward-delay", within("forwardDelaySeconds")],
    ["hello-time", within("helloSeconds")],
    ["max-age", within("maxAgeSeconds")],
    ["vlan-filtering", parameters.vlanFiltering],
  ]);
}

/** What is said of an interface as the port of a bridge. */
export function bridgePortSection({ settings, ties, from }: Link, tell: Tell): readonly Section[] {
  const { hairpin, ...others } = settings.bridgePort ?? {};
  for (const key of Object.keys(others)) {
    const message = "a profile of NetworkManager has no such setting of a bridge's port";
    tell({ path: [...from, "bridgePort", key], message });
  }
  if (ties.bridge === undefined) return [];
  return section("bridge-port", [
    ["path-cost", ties.cost],
    ["priority", ties.priority],
    ["hairpin-mode", hairpin],
  ]);
}
