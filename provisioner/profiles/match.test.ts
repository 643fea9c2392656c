import t from "tap";
import type { Conditions, Rule, TestCase } from "#generated/provisioner/profiles/profile.ts";
import { compose } from "./components.ts";
import { explainMatch } from "./match.ts";
import {
  appliedProfile,
  type CompiledProfile,
  type CompiledProfiles,
  profileSet,
} from "./profile.ts";
import { sampleFacts } from "./sample-facts.ts";
import { sampleProfile as profile } from "./sample-profile.ts";

const any = (...all: readonly Conditions[]): Rule => ({
  any: all.map((each) => ({ all: each })) as unknown as Rule["any"],
});
const dmi = (sysVendor: string, productName: string): Conditions => ({
  dmi: { sysVendor, productName },
});
const set = (...profiles: readonly CompiledProfile[]): CompiledProfiles => profileSet(profiles);

const laptop = profile("acme/laptop", {
  match: any(dmi("Acme", "Laptop 1")),
  witness: any({ dmi: { boardName: { prefix: "ACM1" } } }),
});
const generic = profile("generic/x86-64", { match: any({ cpu: { architecture: "x86_64" } }) });
const all = set(generic, laptop);
const machine = (facts: NonNullable<TestCase["facts"]>) =>
  sampleFacts({ architecture: "x86_64", ...facts });

t.test("rule and witness decide how sure a match is", async (t) => {
  const cases: readonly {
    readonly name: string;
    readonly dmi: Readonly<Record<string, string>>;
    readonly expected: readonly [string | null, string, string | null];
  }[] = [
    {
      name: "both agree",
      dmi: { sysVendor: "Acme", productName: "Laptop 1", boardName: "ACM1X" },
      expected: ["acme/laptop", "certain", "acme/laptop"],
    },
    {
      name: "the witness cannot tell",
      dmi: { sysVendor: "Acme", productName: "Laptop 1", boardName: "Default string" },
      expected: ["acme/laptop", "likely", "acme/laptop"],
    },
    {
      name: "only the witness can tell",
      dmi: { sysVendor: "Acme", productName: "*", boardName: "ACM1X" },
      expected: ["acme/laptop", "likely", "acme/laptop"],
    },
    {
      name: "the witness contradicts",
      dmi: { sysVendor: "Acme", productName: "Laptop 1", boardName: "ACM2X" },
      expected: ["acme/laptop", "disputed", "generic/x86-64"],
    },
    {
      name: "the rule contradicts",
      dmi: { sysVendor: "Acme", productName: "Laptop 2", boardName: "ACM1X" },
      expected: ["acme/laptop", "disputed", "generic/x86-64"],
    },
    {
      name: "neither",
      dmi: { sysVendor: "Acme", productName: "Laptop 2", boardName: "ACM2X" },
      expected: ["generic/x86-64", "generic", "generic/x86-64"],
    },
    {
      name: "a part of the name is not the name",
      dmi: { sysVendor: "Acme", productName: "Laptop" },
      expected: ["generic/x86-64", "generic", "generic/x86-64"],
    },
    {
      name: "case is not ignored",
      dmi: { sysVendor: "ACME", productName: "Laptop 1" },
      expected: ["generic/x86-64", "generic", "generic/x86-64"],
    },
  ];
  for (const { name, dmi: strings, expected } of cases) {
    const match = explainMatch(machine({ dmi: strings }), all);
    t.same([match.profile, match.confidence, match.applied], expected, name);
  }
});

t.test("the evidence says what was looked at, and why the others were not taken", async (t) => {
  const match = explainMatch(
    machine({ dmi: { sysVendor: "Acme", productName: "Laptop 1", boardName: "ACM1X" } }),
    all,
  );
  t.same(match.evidence, [
    { rule: "match", what: "dmi.sysVendor", expected: '"Acme"', got: "Acme", truth: "holds" },
    {
      rule: "match",
      what: "dmi.productName",
      expected: '"Laptop 1"',
      got: "Laptop 1",
      truth: "holds",
    },
    { rule: "witness", what: "dmi.boardName", expected: '"ACM1"…', got: "ACM1X", truth: "holds" },
  ]);
  t.match(match.rejected, [{ id: "generic/x86-64", why: /more specific/ }]);
  const other = explainMatch(machine({ dmi: { sysVendor: "Acme", productName: "Laptop 2" } }), all);
  t.same(other.rejected, [
    { id: "acme/laptop", why: 'dmi.productName: expected "Laptop 1"; got "Laptop 2"' },
  ]);
  const silent = explainMatch(machine({}), all);
  t.match(silent.rejected, [{ id: "acme/laptop", why: /the machine does not tell/ }]);
});

t.test(
  "the three that are told of are those that a person would take for the next ones",
  async (t) => {
    const model = (id: string, product: string, more: object = {}) =>
      profile(id, { match: any(dmi("Acme", product)), ...more });
    const witness = (conditions: Conditions) => ({ witness: any(conditions) });
    const parents = { lineage: ["acme/new", "acme/family", "generic/x86-64"] };
    const models = set(
      generic,
      profile("acme/family", {
        match: any({ dmi: { sysVendor: "Acme" } }),
        lineage: ["acme/family", "generic/x86-64"],
      }),
      model("acme/another", "Tower", witness({ cpu: { vendor: "AuthenticAMD" } })),
      model("acme/board", "Desk", witness({ dmi: { boardName: "ACM9" } })),
      model("acme/new", "Laptop 14 (new)", {
        ...parents,
        ...witness({ dmi: { boardName: "ACM1" } }),
      }),
      model("acme/old", "Laptop 14 (old)"),
      model("acme/older", "Laptop 13"),
      profile("aaa/stranger", {
        match: any({ ...dmi("Other", "Laptop 14 (new)"), cpu: { vendor: "AuthenticAMD" } }),
        witness: any({ cpu: { vendor: "AuthenticAMD" } }),
      }),
    );
    const strings = { sysVendor: "Acme", productName: "Laptop 14 (new)" };
    const told = (boardName: string) => {
      const facts = machine({ dmi: { ...strings, boardName }, cpuVendor: "AuthenticAMD" });
      const { refines, rejected, ...match } = explainMatch(facts, models);
      return { ...match, refines, rejected, ids: rejected.map(({ id }) => id) };
    };
    t.match(told("ACM1"), {
      ...{ profile: "acme/new", confidence: "certain", applied: "acme/new" },
      refines: ["acme/family", "generic/x86-64"],
      ids: ["acme/old", "acme/older", "acme/another"],
      furtherRejected: 2,
    });
    const disputed = told("ACM9");
    t.match(disputed, {
      ...{ profile: "acme/new", confidence: "disputed", applied: "acme/family" },
      refines: ["acme/family", "generic/x86-64"],
      ids: ["acme/board", "acme/old", "acme/older"],
    });
    t.equal(
      disputed.rejected[0]?.why,
      'dmi.productName: expected "Desk"; got "Laptop 14 (new)"; its witness holds',
    );
  },
);

t.test("a device that is known by its subsystem is told with it", async (t) => {
  const facts = machine({ pci: ["8086:1237"] });
  const pci = (facts.pci ?? []).map((each) => ({
    ...each,
    ...{ subsystemVendor: "1af4", subsystemDevice: "1100" },
  }));
  for (const [pattern, got] of [
    ["8086:1237:1af4:1100", "8086:1237:1af4:1100 at 0000:00:00.0"],
    ["8086:1237", "8086:1237 at 0000:00:00.0"],
  ] as const) {
    const one = set(profile("acme/one", { match: any({ pci: [pattern] }) }));
    t.match(explainMatch({ ...facts, pci }, one).evidence, [{ what: "pci", got }]);
  }
});

t.test("of boards the names of the device tree say which one is near", async (t) => {
  const pi = (id: string, name: string) =>
    profile(id, { match: any({ dt: { compatible: [name] } }) });
  const boards = set(
    pi("a/vim", "khadas,vim3"),
    pi("b/laptop", "acme,laptop"),
    pi("c/rock", "radxa,rock"),
    pi("pi/3", "raspberrypi,3-model-b"),
    pi("pi/4", "raspberrypi,4-model-b"),
  );
  const facts = machine({ dt: { compatible: ["raspberrypi,4-model-b", "brcm,bcm2711"] } });
  t.equal(explainMatch(facts, boards).rejected[0]?.id, "pi/3");
});

t.test("unrelated profiles that fit equally well are refused, with the reason", async (t) => {
  const twin = profile("acme/twin", { match: any(dmi("Acme", "Laptop 1")) });
  const match = explainMatch(
    machine({ dmi: { sysVendor: "Acme", productName: "Laptop 1", boardName: "ACM1X" } }),
    set(generic, laptop, twin),
  );
  t.same([match.profile, match.confidence, match.applied], [null, "ambiguous", "generic/x86-64"]);
  t.match(match.rejected.find(({ id }) => id === "acme/twin")?.why, /fits as well as acme\/laptop/);
});

t.test(
  "of related profiles that fit equally well the one that extends the other is taken",
  async (t) => {
    const child = profile("acme/child", {
      match: any(dmi("Acme", "Laptop 1")),
      lineage: ["acme/child", "acme/laptop"],
    });
    const match = explainMatch(
      machine({ dmi: { sysVendor: "Acme", productName: "Laptop 1" } }),
      set(child, laptop),
    );
    t.equal(match.profile, "acme/child");
  },
);

t.test("the more specific rule wins", async (t) => {
  const family = profile("acme/family", {
    match: any({ dmi: { sysVendor: "Acme", productFamily: "Laptops" } }),
  });
  const guest = profile("acme/guest", { match: any({ virt: ["kvm"] }) });
  const strings = { sysVendor: "Acme", productName: "Laptop 1", productFamily: "Laptops" };
  const match = explainMatch(
    machine({ virt: "kvm", dmi: strings }),
    set(generic, family, guest, laptop),
  );
  t.equal(match.profile, "acme/laptop");
  t.match(match.rejected.find(({ id }) => id === "acme/family")?.why, /less specific: 5 of 10/);
});

t.test("a board's first compatible name says more than a later one", async (t) => {
  const chip = profile("arm/chip", { match: any({ dt: { compatible: ["brcm,bcm2711"] } }) });
  const board = profile("arm/board", {
    match: any({ dt: { compatible: ["raspberrypi,4-model-b"] } }),
  });
  const match = explainMatch(
    machine({ dt: { compatible: ["raspberrypi,4-model-b", "brcm,bcm2711"] } }),
    set(board, chip),
  );
  t.equal(match.profile, "arm/board");
});

t.test("a chip that many machines have is a witness, and no identity", async (t) => {
  const board = profile("arm/board", {
    match: any({ dt: { compatible: ["x,board"] } }),
    witness: any({ cpu: { vendor: "ARM", models: [3336] } }),
  });
  const match = explainMatch(sampleFacts({ cpuVendor: "ARM", cpuModel: 3336 }), set(board));
  t.same([match.profile, match.confidence], [null, "none"]);
});

t.test("an exclusion that holds refuses the clause; one that cannot tell does not", async (t) => {
  const rule: Rule = {
    any: [
      {
        all: { dmi: { sysVendor: "Acme", boardName: "B" } },
        not: [{ dmi: { productName: "Server" } }],
      },
    ],
  };
  const board = profile("acme/board", { match: rule });
  const match = (productName: string) =>
    explainMatch(machine({ dmi: { sysVendor: "Acme", boardName: "B", productName } }), set(board));
  t.equal(match("Laptop").profile, "acme/board");
  t.equal(match("Default string").profile, "acme/board");
  t.equal(match("Server").profile, null);
  t.match(match("Server").rejected, [{ why: /expected not "Server"; got "Server"/ }]);
});

t.test("PCI, USB, firmware and patterns are conditions too", async (t) => {
  const cases: readonly {
    readonly name: string;
    readonly rule: Conditions;
    readonly facts: NonNullable<TestCase["facts"]>;
    readonly fits: boolean;
  }[] = [
    {
      name: "PCI vendor",
      rule: { pci: ["1d0f:*"] },
      facts: { pci: ["8086:1237", "1d0f:ec20"] },
      fits: true,
    },
    {
      name: "PCI device",
      rule: { pci: ["1d0f:8061"] },
      facts: { pci: ["1d0f:ec20"] },
      fits: false,
    },
    { name: "USB", rule: { usb: ["27c6:609c"] }, facts: { usb: ["27c6:609c"] }, fits: true },
    {
      name: "firmware in range",
      rule: { dmi: { boardName: "B" }, firmware: { minVersion: "3.5", maxVersion: "3.9" } },
      facts: { dmi: { boardName: "B", biosVersion: "03.07" } },
      fits: true,
    },
    {
      name: "firmware too old",
      rule: { dmi: { boardName: "B" }, firmware: { minVersion: "3.5" } },
      facts: { dmi: { boardName: "B", biosVersion: "03.01 T04" } },
      fits: false,
    },
    {
      name: "expression, whole",
      rule: { dmi: { productName: { regex: "a.c", reason: "test" } } },
      facts: { dmi: { productName: "abc" } },
      fits: true,
    },
    {
      name: "expression, part",
      rule: { dmi: { productName: { regex: "a.c", reason: "test" } } },
      facts: { dmi: { productName: "abcd" } },
      fits: false,
    },
    {
      name: "prefix",
      rule: { dmi: { boardName: { prefix: "FRANMD" } } },
      facts: { dmi: { boardName: "FRANMDCP07" } },
      fits: true,
    },
    {
      name: "a placeholder is no text",
      rule: { dmi: { productName: "Default string" } },
      facts: { dmi: { productName: "Default string" } },
      fits: false,
    },
  ];
  for (const { name, rule, facts, fits } of cases) {
    const match = explainMatch(sampleFacts(facts), set(profile("a/b", { match: any(rule) })));
    t.equal(match.profile, fits ? "a/b" : null, name);
  }
});

t.test(
  "of many others the three that came nearest are told of, and the rest is counted",
  async (t) => {
    const named = ["Laptop 2", "Laptop 3"].map((name, at) =>
      profile(`acme/${at}`, { match: any(dmi("Acme", name)) }),
    );
    const board = profile("acme/board", {
      match: any({ dmi: { sysVendor: "Acme", productName: "Other", productFamily: "L" } }),
    });
    const strangers = ["a", "b", "c"].map((name) =>
      profile(`other/${name}`, { match: any(dmi("Other", name)) }),
    );
    const family = profile("acme/family", { match: any({ dmi: { productFamily: "L" } }) });
    const match = explainMatch(
      machine({ dmi: { sysVendor: "Acme", productName: "Laptop 1", productFamily: "L" } }),
      set(...strangers, generic, ...named, board, family, laptop),
    );
    t.equal(match.profile, "acme/laptop");
    t.same(
      match.rejected.map(({ id }) => id),
      ["acme/family", "acme/board", "acme/0"],
      "one that fits, then by how much holds",
    );
    t.equal(match.furtherRejected, 5);
    const unknown = explainMatch(
      machine({ dmi: { sysVendor: "Acme" } }),
      set(...strangers, generic, ...named),
    );
    t.same(
      unknown.rejected.map(({ id }) => id),
      ["acme/0", "acme/1", "other/a"],
    );
  },
);

t.test(
  "a component is added to whichever machine has it, behind the settings of the model",
  async (t) => {
    const card: CompiledProfile = {
      ...profile("gpu/card", { match: any({ pci: ["10de:2d58"] }) }),
      kind: "component",
      nixos: {
        imports: ["common/gpu"],
        options: { "a.list": ["x", "y"], "a.own": 1, "a.said": 2 },
        platform: null,
        modules: [{ id: "gpu/card", text: "{ }" }],
      },
      kernel: {
        min: "6.12",
        params: { "card.power": 1, quiet: true },
        modules: ["card"],
        blacklist: [],
      },
    };
    const model: CompiledProfile = {
      ...laptop,
      nixos: {
        imports: ["acme"],
        options: { "a.list": ["x"], "a.said": 3 },
        platform: null,
        modules: [],
      },
      kernel: { min: "6.6", params: { quiet: true }, modules: [], blacklist: [] },
    };
    const everything = set(model, generic, card);
    const known = { dmi: { sysVendor: "Acme", productName: "Laptop 1" } };
    const match = explainMatch(machine({ ...known, pci: ["10de:2d58"] }), everything);
    t.match(match.components, [{ id: "gpu/card", evidence: [{ what: "pci", truth: "holds" }] }]);
    t.same(
      [match.profile, match.confidence],
      ["acme/laptop", "likely"],
      "which is no evidence for a model",
    );
    t.match(appliedProfile(match, everything), {
      id: "acme/laptop",
      nixos: {
        imports: ["acme", "common/gpu"],
        options: { "a.list": ["x", "y"], "a.own": 1, "a.said": 3 },
        modules: [{ id: "gpu/card" }],
      },
      kernel: { min: "6.12", params: { "card.power": 1, quiet: true }, modules: ["card"] },
    });
    t.same(
      compose(model, [card]).conflicts,
      [{ component: "gpu/card", place: "nixos.options", name: "a.said" }],
      "the value of the model stays, and the difference is told",
    );
    const without = explainMatch(machine({ ...known, pci: ["10de:2d59"] }), everything);
    t.same(without.components, []);
    t.same(appliedProfile(without, everything), model);
  },
);

t.test("of components of which one extends the other, the nearer one is added", async (t) => {
  const part = (id: string, pci: string, lineage: readonly string[]): CompiledProfile => ({
    ...profile(id, { match: any({ pci: [pci] }), lineage }),
    kind: "component",
  });
  const every = part("gpu/any", "10de:*", ["gpu/any"]);
  const one = part("gpu/one", "10de:2d58", ["gpu/one", "gpu/any"]);
  const match = explainMatch(machine({ pci: ["10de:2d58"] }), set(generic, every, one));
  t.same(
    match.components.map(({ id }) => id),
    ["gpu/one"],
  );
});

t.test("the chassis narrows a generic profile, and is no identity", async (t) => {
  const carried = profile("generic/laptop", {
    match: any({ cpu: { architecture: "x86_64" }, chassis: ["laptop", "convertible"] }),
  });
  const kinds: readonly (readonly [number, string])[] = [
    [10, "generic/laptop"],
    [31, "generic/laptop"],
    [3, "generic/x86-64"],
    [2, "generic/x86-64"],
  ];
  const everything = set(generic, carried, laptop);
  for (const [chassisType, expected] of kinds) {
    const match = explainMatch(machine({ dmi: { chassisType } }), everything);
    t.same([match.profile, match.confidence], [expected, "generic"], String(chassisType));
  }
  const named = { sysVendor: "Acme", productName: "Laptop 1", chassisType: 10 };
  t.equal(explainMatch(machine({ dmi: named }), everything).profile, "acme/laptop");
});

t.test("what is applied is found among the profiles again", async (t) => {
  const match = explainMatch(machine({}), all);
  t.equal(appliedProfile(match, all)?.id, "generic/x86-64");
  t.equal(appliedProfile({ ...match, applied: null }, all), null);
});
