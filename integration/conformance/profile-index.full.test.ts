import t from "tap";
import { hostIo } from "#core/host-io.ts";
import { compileProfiles } from "#provisioner/profiles/compile.ts";
import { identityMatcher, matchIdentity } from "#provisioner/profiles/identity.ts";
import { profileSet } from "#provisioner/profiles/profile.ts";
import { distinctIdentities, profilesOf, readIdentities } from "../machines/identities.ts";

const root = new URL("../..", import.meta.url).pathname;
const { compiled } = compileProfiles(hostIo({ root }).files, "/hardware-profiles");
const identities = readIdentities();
const skip =
  identities === undefined
    ? "the real machines are not on this machine (../shared/data/hardware)"
    : false;

t.setTimeout(600_000);

t.test(
  "the index gives every real machine the same answer as looking at all profiles",
  { skip, timeout: 600_000 },
  async (t) => {
    const machines = identities ?? [];
    const many = profilesOf(machines, 60);
    const profiles = profileSet([...compiled.profiles, ...many]);
    const match = identityMatcher(profiles);
    const wrong: string[] = [];
    let matched = 0;
    for (const [machine] of distinctIdentities(machines)) {
      const fast = match(machine);
      const slow = matchIdentity(machine, profiles);
      if (JSON.stringify(fast) !== JSON.stringify(slow))
        wrong.push(`${machine.join(" | ")}: ${fast.profile}, not ${slow.profile}`);
      if (slow.confidence !== "none") matched += 1;
    }
    t.same(wrong.slice(0, 20), []);
    t.ok(matched > 60, `${matched} machines with some profile`);
  },
);
