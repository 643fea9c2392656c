import fc from "fast-check";
import t from "tap";
import type { Clause, Conditions, TestCase } from "#generated/provisioner/profiles/profile.ts";
import { evaluateProfile } from "./evaluate.ts";
import { explainMatch, matchProfile } from "./match.ts";
import { profileSet } from "./profile.ts";
import { indexProfiles } from "./profile-index.ts";
import { sampleFacts } from "./sample-facts.ts";
import { sampleProfile } from "./sample-profile.ts";

// Few words, so that rules and machines meet often.
const word = fc.constantFrom(
  "Acme",
  "Acme Laptop",
  "Acme Server",
  "Abc",
  "Default string",
  " Acme ",
);
const textRule = fc.oneof(
  word,
  fc.record({ oneOf: fc.array(word, { minLength: 1, maxLength: 2 }) }),
  fc.record({ prefix: fc.constantFrom("A", "Acme", "Acme L", "Abc") }),
  fc.record({ regex: fc.constantFrom("A.*", "Abc"), reason: fc.constant("test") }),
);
const texts = <T>(value: fc.Arbitrary<T>) =>
  fc.record(
    { sysVendor: value, productName: value, boardName: value, productFamily: value },
    { requiredKeys: [] },
  );
const kinds = ["kvm", "none"] as const;
const conditions = fc
  .tuple(
    fc.oneof(
      fc.record({ dmi: texts(textRule) }),
      fc.record({ dt: fc.record({ compatible: fc.subarray(["a,b", "c,d"], { minLength: 1 }) }) }),
      fc.record({ pci: fc.subarray(["1d0f:*", "*:ec20", "1af4:1041:*:1100"], { minLength: 1 }) }),
      fc.record({ usb: fc.subarray(["27c6:609c", "*:*"], { minLength: 1 }) }),
      fc.record({ virt: fc.subarray([...kinds], { minLength: 1 }) }),
    ),
    fc.oneof(
      fc.constant({}),
      fc.record({ cpu: fc.record({ architecture: fc.constantFrom("x86_64", "aarch64") }) }),
      fc.record({ chassis: fc.constantFrom(["laptop"], ["desktop", "server"]) }),
      fc.record({ firmware: fc.record({ minVersion: fc.constantFrom("1", "3") }) }),
    ),
  )
  .map(([first, second]) => ({ ...first, ...second })) as fc.Arbitrary<Conditions>;
const rule = fc.array(
  fc.record(
    { all: conditions, not: fc.array(conditions, { maxLength: 1 }) },
    { requiredKeys: ["all"] },
  ) as fc.Arbitrary<Clause>,
  { minLength: 1, maxLength: 3 },
);
const profiles = fc.array(fc.record({ match: rule, witness: fc.option(rule) }), {
  minLength: 1,
  maxLength: 8,
});
const machine = fc.record(
  {
    dmi: fc
      .tuple(texts(word), fc.constantFrom({}, { chassisType: 10 }, { chassisType: 3 }))
      .map(([strings, chassis]) => ({ ...strings, ...chassis, biosVersion: "2" })),
    dt: fc.record({ compatible: fc.subarray(["a,b", "c,d", "e,f"]) }),
    pci: fc.subarray(["1d0f:ec20", "1af4:1041"]),
    usb: fc.subarray(["27c6:609c"]),
    architecture: fc.constantFrom("x86_64", "aarch64"),
    virt: fc.constantFrom(...kinds),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<NonNullable<TestCase["facts"]>>;

t.test("the index leaves out nobody whom looking at every profile finds", async (t) => {
  let found = 0;
  let leftOut = 0;
  fc.assert(
    fc.property(profiles, machine, (rules, known) => {
      const all = rules.map(({ match, witness }, at) =>
        sampleProfile(`acme/${at}`, {
          match: { any: match },
          ...(witness === null ? {} : { witness: { any: witness } }),
        }),
      );
      const facts = sampleFacts(known);
      const looked = all.map((profile) => evaluateProfile(profile, facts));
      const indexed = indexProfiles(profileSet(all)).candidates(facts);
      const inQuestion = looked.filter(({ confidence }) => confidence !== null);
      found += inQuestion.length;
      leftOut += all.length - indexed.length;
      t.same(
        indexed.filter(({ confidence }) => confidence !== null),
        inQuestion,
      );
      const set = profileSet(all);
      const { evidence, refines, rejected, furtherRejected, ...match } = explainMatch(facts, set);
      t.same(matchProfile(facts, set), match, "nor does a boot, which explains nothing");
      t.equal(evidence.length > 0, match.profile !== null);
      t.ok(rejected.length + refines.length + furtherRejected <= all.length);
    }),
    { numRuns: 300 },
  );
  t.ok(found > 50 && leftOut > 50, `${found} in question, ${leftOut} never looked at`);
});

t.test("bases and components are in nobody's question", async (t) => {
  const rule = { any: [{ all: { pci: ["1d0f:ec20"] } }] };
  const all = (["model", "base", "component"] as const).map((kind) => ({
    ...sampleProfile(`acme/${kind}`, { match: rule }),
    kind,
  }));
  const found = indexProfiles(profileSet(all)).candidates(sampleFacts({ pci: ["1d0f:ec20"] }));
  t.same(
    found.map(({ profile }) => profile.id),
    ["acme/model"],
  );
});
