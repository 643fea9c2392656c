import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import type { Rule } from "#generated/provisioner/profiles/profile.ts";
import { withDeclared } from "#provisioner/profiles/declared.ts";
import { type Identity, matchIdentity } from "#provisioner/profiles/identity.ts";
import { type CompiledProfile, profileSet } from "#provisioner/profiles/profile.ts";
import { sampleProfile } from "#provisioner/profiles/sample-profile.ts";
import { readModules, readNeeds, refusesImport } from "./checkout.ts";
import { type Find, mineProfiles } from "./mine.ts";

/** A tree that is laid out as nixos-hardware is, with text of our own. */
const tree: Readonly<Record<string, string>> = {
  "flake.nix": `{
  outputs = { ... }: { nixosModules = {
    dell-xps-13-1000 = import ./dell/xps/13-1000;
    dell-xps-13-1000-nvidia = import ./dell/xps/13-1000/nvidia;
    dell-xps-13-1000-intel = import ./dell/xps/13-1000/intel;
    dell-xps-14-2000 = import ./dell/xps/14-2000;
    dell-xps-14-2000-nvidia = import ./dell/xps/14-2000/nvidia;
    dell-old = deprecated "1" "dell-old" (import ./dell/old);
    omen-15-en0001aa = import ./omen/15-en0001aa;
    omen-15-en0002bb = import ./omen/15-en0002bb;
    lenovo-thinkpad-x390 = import ./lenovo/thinkpad/x390;
    lenovo-thinkpad-x1-6th-gen = import ./lenovo/thinkpad/x1/6th-gen;
    lenovo-thinkpad-t14-amd-gen2 = import ./lenovo/thinkpad/t14/amd/gen2;
    lenovo-legion-15ach6 = import ./lenovo/legion/15ach6;
    asus-ga402 = import ./asus/ga402;
    asus-ga402x = import ./asus/ga402x;
    framework-13 = import ./framework/13;
    gpd-none = import ./gpd/none;
    pine64-board = import ./pine64/board;
    common-gpu = import ./common/gpu;
  }; checks = let
    tests = import ./tests/all.nix {
      inherit self;
    };
  in tests; };
}
`,
  "README.md": "| [Dell XPS 13 1000](dell/xps/13-1000) | `x` | `x` |\n",
  "dell/xps/13-1000/default.nix": "{ imports = [ ../../../common/gpu ]; }\n",
  "dell/xps/13-1000/nvidia/default.nix":
    "{ imports = [ ../. ../../../../common/gpu/green.nix ]; }\n",
  "dell/xps/14-2000/default.nix":
    '{ assertions = [ { assertion = false; message = "name a variant"; } ]; }\n',
  "dell/xps/14-2000/nvidia/default.nix": "{ imports = [ ../../../../common/gpu/green.nix ]; }\n",
  "common/gpu/default.nix": "{ }\n# hardware.nvidia.open = true; is no setting\n",
  "common/gpu/green.nix": '{ services.xserver.videoDrivers = [ "nvidia" ]; }\n',
  "asus/ga402/default.nix": "{ pkgs, ... }: { boot.kernelPackages = pkgs.linuxPackages_latest; }\n",
  "asus/ga402x/default.nix": '{ boot.loader.grub.device = "x"; }\n',
};

let row = 0;
const machine = (
  vendor: string,
  {
    product = "",
    version = "",
    board = "",
  }: { product?: string; version?: string; board?: string },
): Identity => [`m${row++}`, vendor, product, "", version, "", vendor, board, "", "Notebook"];

const xps = machine("Dell Inc.", { product: "XPS 13 1000" });
const thinkpad = machine("LENOVO", { product: "20Q0", version: "ThinkPad X390" });
const identities: readonly Identity[] = [
  xps,
  machine("Dell Inc.", { product: "XPS 13 1000 2-in-1" }),
  machine("Dell Inc.", { product: "XPS 14 2000" }),
  machine("Acme", { product: "XPS 13 1000" }),
  machine("HP", { product: "OMEN Laptop 15-en0xxx" }),
  thinkpad,
  machine("LENOVO", { product: "20Q1", version: "ThinkPad X390 Yoga" }),
  machine("LENOVO", { product: "20K0", version: "ThinkPad X1 Carbon 6th" }),
  machine("LENOVO", { product: "20K1", version: "ThinkPad X1 Yoga 6th" }),
  machine("LENOVO", { product: "20X0", version: "ThinkPad T14 Gen 2a" }),
  machine("LENOVO", { product: "20X1", version: "ThinkPad T14 Gen 2" }),
  machine("LENOVO", { product: "82J0", version: "Legion 5 15ACH6" }),
  machine("LENOVO", { product: "82J1", version: "Legion S7 15ACH6" }),
  machine("ASUSTeK COMPUTER INC.", { product: "G14", board: "GA402RJ" }),
  machine("ASUSTeK COMPUTER INC.", { product: "G14", board: "GA402XV" }),
  machine("ASUSTeK COMPUTER INC.", { product: "G14", board: "GA4021" }),
  machine("Framework", { product: "13" }),
];

const profile = (id: string, match: Rule, extended: readonly string[] = []): CompiledProfile => {
  const sample = sampleProfile(id, { match, lineage: [id, ...extended] });
  return { ...sample, nixos: { ...sample.nixos, options: { "a.b": true } } };
};
const generic = profile("generic/x86-64", { any: [{ all: { cpu: { architecture: "x86_64" } } }] });
/** Looks at more strings than a rule that is mined. */
const family = profile(
  "lenovo/thinkpad",
  {
    any: [
      {
        all: {
          dmi: {
            sysVendor: "LENOVO",
            boardVendor: "LENOVO",
            productName: { prefix: "20Q0" },
            productVersion: { prefix: "ThinkPad" },
          },
        },
      },
    ],
  },
  ["generic/x86-64"],
);

function mine(
  checkout: string,
  profiles: readonly CompiledProfile[] = [generic],
  machines = identities,
) {
  for (const [file, text] of Object.entries(tree)) {
    mkdirSync(path.join(checkout, path.dirname(file)), { recursive: true });
    writeFileSync(path.join(checkout, file), text);
  }
  const handMade = profileSet(profiles);
  const modules = readModules(checkout);
  const needs = (name: string) => readNeeds(checkout, name);
  const refuses = (name: string) => refusesImport(checkout, name);
  const from = { identities: machines, source: "a test", handMade };
  const found = mineProfiles({ modules, needs, refuses, ...from });
  const head = { v: 1, revision: "r", narHash: "h", modules: [] } as const;
  return { modules, found, all: withDeclared(handMade, { ...head, ...found }) };
}

const whyOf = ({ left }: Find, name: string) => left.find((each) => each.name === name)?.why;

t.test("each module has a rule of whole names, or a reason", async (t) => {
  const { modules, found } = mine(t.testdir({}));
  t.notOk(
    modules.some(({ name }) => name === "dell-old"),
    "deprecated ones are out",
  );
  t.notOk(
    modules.some(({ path }) => path.startsWith("tests")),
    "what the tree is tested with is no module",
  );
  t.same(
    [...found.profiles, ...found.left].length,
    modules.length,
    "every module is one or the other",
  );
  const rules = Object.fromEntries(
    found.profiles.map(({ id, match }) => [id, match.any.map(({ all }) => all)]),
  );
  const dmi = (vendor: string, field: string, text: string) => ({
    dmi: { sysVendor: vendor, [field]: text },
  });
  t.same(rules, {
    "nixos-hardware/asus-ga402": [dmi("ASUSTeK COMPUTER INC.", "boardName", "GA402RJ")],
    "nixos-hardware/asus-ga402x": [dmi("ASUSTeK COMPUTER INC.", "boardName", "GA402XV")],
    "nixos-hardware/dell-xps-13-1000": [dmi("Dell Inc.", "productName", "XPS 13 1000")],
    "nixos-hardware/dell-xps-13-1000-nvidia": [
      { ...dmi("Dell Inc.", "productName", "XPS 13 1000"), pci: ["10de:*"] },
    ],
    "nixos-hardware/dell-xps-14-2000-nvidia": [
      { ...dmi("Dell Inc.", "productName", "XPS 14 2000"), pci: ["10de:*"] },
    ],
    "nixos-hardware/lenovo-thinkpad-t14-amd-gen2": [
      dmi("LENOVO", "productVersion", "ThinkPad T14 Gen 2a"),
      { ...dmi("LENOVO", "productVersion", "ThinkPad T14 Gen 2"), cpu: { vendor: "AuthenticAMD" } },
    ],
    "nixos-hardware/lenovo-thinkpad-x1-6th-gen": [
      dmi("LENOVO", "productVersion", "ThinkPad X1 Carbon 6th"),
    ],
    "nixos-hardware/lenovo-thinkpad-x390": [dmi("LENOVO", "productVersion", "ThinkPad X390")],
  });
  t.match(whyOf(found, "omen-15-en0001aa"), /names are those of omen-15-en0002bb too/);
  t.match(whyOf(found, "lenovo-legion-15ach6"), /several models.*Legion 5 15ACH6, Legion S7/);
  t.match(whyOf(found, "dell-xps-13-1000-intel"), /a choice of a person/);
  t.match(whyOf(found, "gpd-none"), /no machine of the data set/);
  t.match(whyOf(found, "pine64-board"), /no rule for this maker/);
  t.match(whyOf(found, "framework-13"), /made by hand/);
  t.match(whyOf(found, "common-gpu"), /no machine/);
  t.equal(
    found.profiles.find(({ id }) => id.endsWith("x390"))?.evidence,
    "productVersion of one machine, a test",
  );
});

t.test("what a module brings along is read through everything that it imports", async (t) => {
  const { found } = mine(t.testdir({}));
  const needs = Object.fromEntries(found.profiles.map((each) => [each.id.slice(15), each.needs]));
  t.match(needs, {
    "asus-ga402": ["kernel"],
    "asus-ga402x": ["boot-loader"],
    "dell-xps-13-1000": [],
    "dell-xps-13-1000-nvidia": ["unfree"],
  });
});

t.test("a family made by hand is extended, and its model taken before it", async (t) => {
  const { found, all } = mine(t.testdir({}), [generic, family]);
  const model = found.profiles.find(({ id }) => id.endsWith("x390"));
  t.equal(model?.extends, "lenovo/thinkpad");
  t.equal(found.profiles.find(({ id }) => id.endsWith("13-1000"))?.extends, "generic/x86-64");
  t.same(matchIdentity(thinkpad, all).profile, "nixos-hardware/lenovo-thinkpad-x390");
});

t.test("most machines of a model tell by their chassis which generic profile it extends", (t) => {
  const chassis = (id: string, type: "laptop" | "server") =>
    profile(id, { any: [{ all: { cpu: { architecture: "x86_64" }, chassis: [type] } }] }, [
      generic.id,
    ]);
  const handMade = [
    generic,
    chassis("generic/laptop", "laptop"),
    chassis("generic/server", "server"),
  ];
  const cases: readonly (readonly [told: readonly string[], parent: string])[] = [
    [["Notebook", "Notebook", "Desktop"], "generic/laptop"],
    [["Other", "Unknown", "", "Laptop"], "generic/laptop"],
    [["Rack Mount Chassis"], "generic/server"],
    [["Desktop"], "generic/x86-64"],
    [["Notebook", "Desktop"], "generic/x86-64"],
    [["Notebook", "Rack Mount Chassis", "Desktop"], "generic/x86-64"],
    [["Other"], "generic/x86-64"],
  ];
  for (const [told, parent] of cases) {
    const machines = told.map((words): Identity => [xps[0], ...xps.slice(1, 9), words]);
    const { found } = mine(t.testdir({}), handMade, machines);
    const [model] = found.profiles.filter(({ module }) => module === "dell/xps/13-1000");
    t.equal(model?.extends, parent, told.join(", "));
    const [variant] = found.profiles.filter(({ module }) => module === "dell/xps/13-1000/nvidia");
    t.equal(variant?.extends, parent, "and so does its variant");
  }
  t.end();
});

t.test("a profile made by hand that imports the module stands", async (t) => {
  const own = {
    ...family,
    nixos: { ...family.nixos, imports: ["lenovo/thinkpad/x390"] },
  };
  const { found } = mine(t.testdir({}), [generic, own]);
  t.match(whyOf(found, "lenovo-thinkpad-x390"), /lenovo\/thinkpad is made by hand/);
});

t.test("each machine gets its own profile, and another's name is nobody's", async (t) => {
  const { all } = mine(t.testdir({}));
  const got = identities.map((identity) => matchIdentity(identity, all).profile?.slice(15) ?? null);
  t.same(got, [
    "dell-xps-13-1000",
    null,
    null,
    null,
    null,
    "lenovo-thinkpad-x390",
    null,
    "lenovo-thinkpad-x1-6th-gen",
    null,
    "lenovo-thinkpad-t14-amd-gen2",
    null,
    null,
    null,
    "asus-ga402",
    "asus-ga402x",
    null,
    null,
  ]);
});

t.test("a module that refuses to be imported has no profile, and its variants have", async (t) => {
  const { found } = mine(t.testdir({}));
  const ids = found.profiles.map(({ id }) => id).filter((id) => id.includes("xps-14"));
  t.same(ids, ["nixos-hardware/dell-xps-14-2000-nvidia"]);
  t.match(whyOf(found, "dell-xps-14-2000"), /refuses to be imported/);
});

t.test("a tree without such a flake is refused", async (t) => {
  t.throws(() => readModules(t.testdir({ "flake.nix": "{ }" })), /expected outputs as/);
});
