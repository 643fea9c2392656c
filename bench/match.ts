import { hostIo } from "#core/host-io.ts";
import { profilesOf, readIdentities } from "#integration/machines/identities.ts";
import { compileProfiles } from "#provisioner/profiles/compile.ts";
import { identityMatcher } from "#provisioner/profiles/identity.ts";
import { profileSet } from "#provisioner/profiles/profile.ts";
import { median } from "./measure.ts";

/** As many as there are once every module of nixos-hardware has one. */
const profileCount = 400;

/** What matching costs over a batch of real machines. */
export interface Matching {
  readonly machines: number;
  readonly profiles: number;
  /** CPU microseconds a machine: the middle of the passes over the whole batch. */
  readonly usPerMachine: number;
}

/** Matches the batch again and again; `undefined` where the real machines are not at hand. */
export function measureMatching(passes: number): Matching | undefined {
  const machines = readIdentities();
  if (machines === undefined) return undefined;
  const root = new URL("..", import.meta.url).pathname;
  const shipped = compileProfiles(hostIo({ root }).files, "/hardware-profiles").compiled.profiles;
  const madeUp = profilesOf(machines, Math.max(0, profileCount - shipped.length));
  const profiles = [...shipped, ...madeUp];
  const match = identityMatcher(profileSet(profiles));
  const times: number[] = [];
  for (let pass = 0; pass <= passes; pass++) {
    const before = process.cpuUsage();
    for (const machine of machines) match(machine);
    const { user, system } = process.cpuUsage(before);
    if (pass > 0) times.push((user + system) / machines.length);
  }
  return {
    machines: machines.length,
    profiles: profiles.length,
    usPerMachine: median(times),
  };
}
