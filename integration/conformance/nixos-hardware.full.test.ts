import t from "tap";
import { hostIo } from "#core/host-io.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { compileHandMade, compileProfiles } from "#provisioner/profiles/compile.ts";
import { readDeclared } from "#provisioner/profiles/declared.ts";
import {
  factsOfIdentity,
  type Identity,
  identityMatcher,
  matchPc,
} from "#provisioner/profiles/identity.ts";
import { type CompiledProfile, profileSet } from "#provisioner/profiles/profile.ts";
import { indexProfiles } from "#provisioner/profiles/profile-index.ts";
import { sampleCard } from "#provisioner/render/sample-machine.ts";
import { distinctIdentities, readIdentities } from "../machines/identities.ts";

const { files } = hostIo({ root: new URL("../..", import.meta.url).pathname });
const { compiled } = compileProfiles(files, "/hardware-profiles");
const handMade = compileHandMade(files, "/hardware-profiles").compiled;
const declared = readDeclared(files, "/hardware-profiles")?.profiles ?? [];
const identities = readIdentities();
const skip =
  identities === undefined
    ? "the real machines are not on this machine (../shared/data/hardware)"
    : false;

t.setTimeout(600_000);

t.test(
  "of all real machines many get a declared profile, and those with one made by hand keep it",
  { skip, timeout: 600_000 },
  async (t) => {
    // Of the index itself there is a test of its own.
    const matchAll = identityMatcher(compiled);
    const matchHandMade = identityMatcher(handMade);
    const byId = new Map(declared.map((profile) => [profile.id, profile]));
    const selected = new Set<string>();
    const wrong: string[] = [];
    let machines = 0;
    for (const [identity, count] of distinctIdentities(identities ?? [])) {
      const { profile, confidence } = matchAll(identity);
      const before = matchHandMade(identity);
      const say = (what: string) => wrong.push(`${identity.join(" | ")}: ${profile}: ${what}`);
      if (/disputed|ambiguous/.test(confidence)) say(confidence);
      const found = byId.get(profile ?? "");
      if (found === undefined) {
        if (profile !== before.profile) say(`made by hand: ${before.profile}`);
        continue;
      }
      selected.add(found.id);
      machines += count;
      const isParent = before.profile === null || before.profile === found.extends;
      if (!isParent) say(`made by hand: ${before.profile}`);
      const strings: readonly string[] = identity;
      const named = found.match.any.some(({ all: { dmi = {} } }) =>
        Object.values(dmi).every((rule) => {
          const texts = typeof rule === "string" ? [rule] : "oneOf" in rule ? rule.oneOf : [];
          return texts.some((text) => strings.includes(text));
        }),
      );
      if (!named || identity[1] === "Framework") say("is not its name");
    }
    t.same(wrong.slice(0, 20), []);
    t.ok(selected.size >= 150, `${selected.size} profiles, ${machines} machines`);
    t.comment(
      `${selected.size} declared profiles are selected by names alone, of ${machines} machines`,
    );
    const others = declared.filter(({ id }) => !selected.has(id));
    const isRefined = ({ match }: (typeof declared)[number]) =>
      match.any.every(({ all }) => all.cpu !== undefined || all.pci !== undefined);
    t.same(
      others.filter((profile) => !isRefined(profile)).map(({ id }) => id),
      [],
      "the others ask for a processor or a device, which the data set does not tell",
    );
  },
);

t.test(
  "no declared profile gives a machine less than it would get by its chassis alone",
  { skip, timeout: 600_000 },
  async (t) => {
    const index = indexProfiles(profileSet(declared.flatMap(({ id }) => compiled.find(id) ?? [])));
    const less = new Map<string, string>();
    const seen = new Set<string>();
    for (const [identity] of distinctIdentities(identities ?? [])) {
      const generic = compiled.find(matchPc(identity, handMade) ?? "generic/x86-64");
      for (const facts of pcsOf(identity)) {
        for (const { profile, confidence } of index.candidates(facts)) {
          const model = compiled.find(profile.id);
          if (confidence === null || model === undefined || generic === undefined) continue;
          seen.add(model.id);
          const lost = lostOf(model, generic);
          if (lost.length > 0)
            less.set(`${model.id} (${identity[9]}), not ${generic.id}`, lost.join(", "));
        }
      }
    }
    t.strictSame([...less].sort(), []);
    t.same(
      declared.map(({ id }) => id).filter((id) => !seen.has(id)),
      [],
      "each has a machine",
    );
  },
);

/** A machine with what its names leave open: the processor's maker, and a card of NVIDIA. */
function pcsOf(identity: Identity): readonly Facts[] {
  const facts = factsOfIdentity(identity);
  return ["AuthenticAMD", "GenuineIntel"].map((vendor) => ({
    ...facts,
    cpu: { ...facts.cpu, architecture: "x86_64", vendor },
    pci: [sampleCard("0000:01:00.0", "10de:2820")],
  }));
}

/** What a profile lacks that another one has. */
function lostOf(model: CompiledProfile, generic: CompiledProfile): readonly string[] {
  const without = (theirs: readonly string[], ours: readonly string[]) =>
    theirs.filter((each) => !ours.includes(each));
  const renderer = generic.network.renderer;
  return [
    ...(renderer !== undefined && model.network.renderer !== renderer ? [renderer] : []),
    ...without(generic.initrd.availableModules, model.initrd.availableModules),
    ...without(Object.keys(generic.nixos.options), Object.keys(model.nixos.options)),
  ];
}
