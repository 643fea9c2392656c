import t from "tap";
import { hostFiles } from "#core/host-files.ts";
import { tryRender } from "#provisioner/render/try-render.ts";
import { compileHandMade, compileProfiles } from "./compile.ts";
import {
  type DeclaredFile,
  type DeclaredProfile,
  describeNeeds,
  parseDeclared,
  withDeclared,
} from "./declared.ts";
import { explainMatch } from "./match.ts";
import { profileSet } from "./profile.ts";
import { sampleFacts } from "./sample-facts.ts";

const files = hostFiles(new URL("../..", import.meta.url).pathname, () => {});
const handMade = compileHandMade(files, "/hardware-profiles").compiled;

const declare = (name: string, product: string, more: Partial<DeclaredProfile>) => ({
  id: `nixos-hardware/${name}`,
  title: name,
  vendor: "Acme",
  extends: "generic/x86-64",
  module: `acme/${name}`,
  match: { any: [{ all: { dmi: { sysVendor: "Acme", productName: product } } }] },
  needs: [],
  evidence: "productName of one machine, a test",
  ...more,
});
const file: DeclaredFile = {
  v: 1,
  revision: "0123",
  narHash: "sha256-x=",
  left: [],
  modules: ["acme/free"],
  profiles: [
    declare("free", "Free", {}),
    declare("kernel", "Kernel", { needs: ["kernel", "boot-loader"] }),
    declare("green", "Free", {
      needs: ["unfree"],
      match: {
        any: [{ all: { dmi: { sysVendor: "Acme", productName: "Free" }, pci: ["10de:*"] } }],
      },
    }),
  ] as readonly DeclaredProfile[],
};
const all = withDeclared(handMade, file);
const machine = (productName: string, pci?: readonly string[]) =>
  sampleFacts({
    architecture: "x86_64",
    dmi: { sysVendor: "Acme", productName },
    ...(pci === undefined ? {} : { pci: pci as [string, ...string[]] }),
  });

t.test("a declared profile applies where it brings nothing that a person decides", async (t) => {
  const cases = [
    { name: "nothing", facts: machine("Free"), expected: ["free", "free"] },
    { name: "another kernel", facts: machine("Kernel"), expected: ["kernel", null] },
    {
      name: "unfree packages, and the same machine can do without",
      facts: machine("Free", ["10de:1234"]),
      expected: ["green", "free"],
    },
  ] as const;
  for (const { name, facts, expected } of cases) {
    const match = explainMatch(facts, all);
    const [profile, applied] = expected;
    t.equal(match.confidence, "likely", name);
    t.equal(match.profile, `nixos-hardware/${profile}`, name);
    const used = applied === null ? "generic/x86-64" : `nixos-hardware/${applied}`;
    t.equal(match.applied, used, name);
  }
});

t.test(
  "a model is taken before the family that it extends, however much that looks at",
  async (t) => {
    const [free] = file.profiles;
    const generic = handMade.profiles.find(({ id }) => id === "generic/x86-64");
    if (free === undefined || generic === undefined) throw new Error("expected both");
    const dmi = { sysVendor: "Acme", productName: "Free", boardVendor: "Acme" };
    const family = {
      ...generic,
      id: "acme/family",
      lineage: ["acme/family", "generic/x86-64"],
      match: { any: [{ all: { dmi } }] } as typeof generic.match,
    };
    const profiles = withDeclared(profileSet([family, generic]), {
      ...file,
      profiles: [{ ...free, extends: "acme/family" }],
    });
    const facts = sampleFacts({ architecture: "x86_64", dmi });
    const match = explainMatch(facts, profiles);
    t.same([match.profile, match.applied], ["nixos-hardware/free", "nixos-hardware/free"]);
    t.same(match.refines, ["acme/family", "generic/x86-64"]);
  },
);

t.test(
  "what is rendered imports it from the pin, or says what is left for the owner",
  async (t) => {
    const pins = {
      "nixos-hardware": { storePath: "/nix/store/x-hw", narHash: null, revision: null },
    };
    const hardwareOf = (product: string, base: object) => {
      const facts = machine(product);
      const match = explainMatch(facts, all);
      const { sources } = tryRender({}, { facts, match, profiles: all, base: base as never });
      return sources.files.find(({ path }) => path === "firstlight/hardware.nix")?.content ?? "";
    };
    t.match(hardwareOf("Free", { pins }), '"/nix/store/x-hw/acme/free"');
    t.match(
      hardwareOf("Free", {}),
      "Without acme/free of nixos-hardware, which is not pinned here.",
    );
    const offered = hardwareOf("Kernel", { pins });
    t.match(
      offered,
      "acme/kernel of nixos-hardware fits and is for you to import: another kernel, settings of the boot loader.",
    );
    t.notMatch(offered, "/nix/store/x-hw");
  },
);

t.test("a pin of another revision than the one that rules were taken from is told", async (t) => {
  const mined = "0471accf8d0a8210b31d947497d179ecc99e0021";
  const other = "1111111111111111111111111111111111111111";
  const profiles = withDeclared(handMade, { ...file, revision: mined });
  const rendered = (
    product: string,
    revision: string | null,
    absentImports?: readonly string[],
  ) => {
    const pin = { storePath: "/nix/store/x-hw", narHash: null, revision };
    const base = { pins: { "nixos-hardware": pin }, ...(absentImports && { absentImports }) };
    const facts = machine(product);
    const match = explainMatch(facts, profiles);
    const { sources, findings } = tryRender({}, { facts, match, profiles, base });
    const file = sources.files.find(({ path }) => path === "firstlight/hardware.nix");
    return { text: file?.content ?? "", findings };
  };
  const { text, findings } = rendered("Free", other);
  t.match(
    text,
    `    # Rules were taken from nixos-hardware ${mined}, the pin is ${other}.\n    "/nix/store/x-hw/acme/free"`,
    "beside the import",
  );
  t.same(findings, [
    {
      document: "/etc/firstlight/pins.json",
      path: "nixos-hardware.revision",
      ...{ line: null, column: null, level: "note", code: "render/import-revision" },
      message: `the pin is ${other}, and rules were taken from ${mined}: acme/free may say something else there`,
      hint: "look at what has changed there between the two, or pin the other one",
    },
  ]);
  for (const [what, same] of [
    ["the same", rendered("Free", mined)],
    ["the same, abbreviated", rendered("Free", mined.slice(0, 7))],
    ["not known", rendered("Free", null)],
    ["nothing is imported", rendered("Another", other)],
  ] as const) {
    t.same(same.findings, [], what);
    t.notMatch(same.text, "Rules were taken", what);
  }
  const absent = rendered("Free", other, ["acme/free"]);
  t.match(absent.text, "Without acme/free of nixos-hardware, which the pinned tree has not.");
  t.notMatch(absent.text, "x-hw/acme");
  t.match(absent.findings, [
    {
      ...{ level: "note", code: "render/import-absent", path: "nixos-hardware.storePath" },
      message:
        "the pinned tree has no module acme/free, which nixos-hardware/free imports: left out",
    },
  ]);
  const hostile = rendered("Free", "x\u001b[2J\nrm");
  t.match(hostile.text, "the pin is x\ufffd[2J\ufffdrm.");
});

t.test("it takes over what it extends, and says what it was mined from", async (t) => {
  const free = all.profiles.find(({ id }) => id === "nixos-hardware/free");
  const generic = handMade.profiles.find(({ id }) => id === "generic/x86-64");
  t.match(free, {
    lineage: ["nixos-hardware/free", "generic/x86-64"],
    status: { level: "declared", evidence: "productName of one machine, a test" },
    nixos: { imports: ["acme/free"] },
  });
  t.equal(free?.initrd, generic?.initrd, "shared in memory");
  const [evaluated] = withDeclared(handMade, {
    ...file,
    evaluatedBy: "a.full.test.ts",
  }).profiles.filter(({ id }) => id === "nixos-hardware/free");
  t.same(evaluated?.status, {
    level: "evaluates",
    evidence: "a.full.test.ts; productName of one machine, a test",
  });
  t.equal(describeNeeds(["unfree", "device-off"]), "unfree packages, a device turned off");
});

t.test("the file is refused where it is damaged or does not fit", async (t) => {
  for (const text of ["", "null", "[]", '{"v":2,"profiles":[]}', '{"v":1}'])
    t.throws(() => parseDeclared(text), { code: "profile/invalid" }, text);
  const stray = {
    ...file,
    profiles: [declare("x", "X", { extends: "acme/none" })],
  } as DeclaredFile;
  t.throws(() => withDeclared(handMade, stray), /extends acme\/none, which does not exist/);
  t.equal(withDeclared(handMade, undefined), handMade);
  t.same(parseDeclared(JSON.stringify(file)), file);
});

t.test("those that ship are many, sorted, and each has a rule of exact names", async (t) => {
  const shipped = parseDeclared(files.readText("/hardware-profiles/nixos-hardware.json") ?? "");
  t.ok(shipped.profiles.length >= 150, `${shipped.profiles.length} profiles`);
  t.match(shipped.revision, /^[0-9a-f]{40}$/);
  t.match(shipped.narHash, /^sha256-[A-Za-z0-9+/]{43}=$/);
  const page = files.readText("/docs/nixos-hardware.md") ?? "";
  for (const text of [
    `rev = "${shipped.revision}"`,
    `revision = "${shipped.revision}"`,
    ` hash = "${shipped.narHash}"`,
    `narHash = "${shipped.narHash}"`,
  ])
    t.ok(page.includes(text), `the page pins it: ${text}`);
  const ids = shipped.profiles.map(({ id }) => id);
  t.same(ids, [...new Set(ids)].sort());
  for (const { id, module, match, evidence } of shipped.profiles) {
    t.ok(shipped.modules.includes(module), `${id}: ${module} is a module`);
    t.match(evidence, / of (?:one machine|\d+ machines), linuxhw\/DMI/, id);
    t.notMatch(id, /framework/);
    for (const { all: conditions } of match.any) {
      const fields = Object.keys(conditions.dmi ?? {});
      t.ok(fields.length === 2 && /Vendor$/.test(fields[0] ?? ""), `${id}: ${fields.join(" ")}`);
      for (const rule of Object.values(conditions.dmi ?? {}))
        t.ok(typeof rule === "string" || "oneOf" in rule, `${id}: exact`);
    }
  }
  const names = compileProfiles(files, "/hardware-profiles").compiled.profiles.map(({ id }) => id);
  t.ok(names.includes("nixos-hardware/dell-xps-13-9380") && names.includes("generic/x86-64"));
});
