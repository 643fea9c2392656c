import type { FakeFleet, FleetRole } from "#protocol/trust/fake-fleet.ts";
import type { KeyPair } from "#protocol/trust/sign/key-pair.ts";
import { type Signed, signMetadata } from "#protocol/trust/sign/sign-metadata.ts";

/** Keys that somebody has: of some roles, some of them, or none of the fleet's at all. */
export function stolen(fleet: FakeFleet, role: FleetRole, count?: number): readonly KeyPair[] {
  return fleet.keysOf(role).keys.slice(0, count);
}

/**
 * Metadata with something else in it, signed anew with the keys that somebody has; without `keys` the
 * signatures stay those of what it was.
 */
export function forge<S extends object>(
  { signed, signatures }: Signed<S>,
  change: Partial<S>,
  keys?: readonly KeyPair[],
): Signed<S> {
  const changed = { ...signed, ...change };
  return keys === undefined ? { signed: changed, signatures } : signMetadata(changed, keys);
}
