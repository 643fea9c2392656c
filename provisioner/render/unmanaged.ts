import type { Network } from "#generated/provisioner/spec/v1.ts";
import { list, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign, type Concern } from "./assignment.ts";
import { type Link, linksOf } from "./networkd/links.ts";

/**
 * An adopted configuration may run NetworkManager, a template and an option do: it is told to leave
 * alone what networkd does, in its own words (NetworkManager.conf(5), device list format). Where it does
 * not run, that says nothing.
 */
export function leaveToNetworkd(
  { base, networkRenderer }: Concern,
  network: Network,
): readonly Assignment[] {
  if (base.kind !== "adopted" && networkRenderer.managerRunsBy === undefined) return [];
  const left = linksOf(network).map((link) => str(deviceOf(link)));
  return [assign(["networking", "networkmanager", "unmanaged"], list(left), ["network"])];
}

function deviceOf({ name, device }: Link): string {
  const { match, setName } = device ?? {};
  if (match?.mac !== undefined) return `mac:${match.mac}`;
  const called = setName ?? match?.name;
  if (called !== undefined) return `interface-name:${called}`;
  return match?.driver === undefined ? `interface-name:${name}` : `driver:${match.driver}`;
}
