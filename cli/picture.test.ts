import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import t from "tap";
import { hostIo } from "#core/host-io.ts";
import { textWidth } from "#core/text-width.ts";
import type { BlockDevice, Facts } from "#generated/provisioner/facts/facts.ts";
import { genericFacts } from "#provisioner/facts/generic-facts.ts";
import { compileProfiles } from "#provisioner/profiles/compile.ts";
import { explainMatch } from "#provisioner/profiles/match.ts";
import {
  type CompiledProfile,
  type CompiledProfiles,
  profileSet,
} from "#provisioner/profiles/profile.ts";
import { sampleFacts } from "#provisioner/profiles/sample-facts.ts";
import { sampleProfile } from "#provisioner/profiles/sample-profile.ts";
import type { Page } from "./drawing.ts";
import { machineName } from "./machine-name.ts";
import { drawMachine } from "./picture-machine.ts";
import { drawMatch } from "./picture-match.ts";

const root = new URL("..", import.meta.url).pathname;
const unicode: Page = { columns: 80, isUnicode: true };
const ascii: Page = { columns: 80, isUnicode: false };

/** A few of the profiles that ship: those of the machines below, and their like. */
const ids: ReadonlySet<string> = new Set([
  "amazon/ec2",
  "framework/12-13th-gen-intel",
  "framework/13-amd-7040",
  "framework/16",
  "framework/16-amd-ai-300",
  "framework/16-amd-ai-300-rtx-5070",
  "framework/amd-laptop",
  "framework/laptop",
  "generic/aarch64",
  "generic/laptop",
  "generic/x86-64",
  "qemu/kvm",
  "raspberry-pi/3",
  "raspberry-pi/4",
  "raspberry-pi/5",
]);
const shipped = compileProfiles(hostIo({ root }).files, "/hardware-profiles").compiled;
const profiles = profileSet(shipped.profiles.filter(({ id }) => ids.has(id)));

function recorded(fixture: string): Facts {
  const [profile, name] = fixture.split(":");
  const file = `${root}hardware-profiles/${profile}/fixtures/${name}.json`;
  return JSON.parse(readFileSync(file, "utf8")) as Facts;
}

const framework = recorded("framework/13-amd-7040:retail");
const nothing = genericFacts(null);

/** Texts that would move the cursor, colour or turn what follows, or fill the screen. */
const hostileTexts = {
  colour: "\u001b[31mred\u001b[0m\u001b]0;title\u0007",
  lines: "one\r\n\ttwo\u2028three\u0085four",
  turned: "\u202egnisrever\u2066 \u200b\ufeff",
  long: "0123456789abcdef".repeat(16),
  wide: "漢字".repeat(128),
  lone: "\ud800half",
};

const disk = (name: string, more: Partial<BlockDevice> = {}): BlockDevice => ({
  name,
  sizeBytes: 4_000_787_030_016,
  removable: false,
  readOnly: false,
  rotational: true,
  model: "DISK",
  transport: "sas",
  wwid: null,
  byId: [],
  partitionTable: null,
  signature: null,
  partitions: [],
  modules: ["sd_mod", "mpt3sas"],
  ...more,
});

const hostile: Facts = {
  ...framework,
  dmi: {
    ...(framework.dmi as NonNullable<Facts["dmi"]>),
    sysVendor: hostileTexts.colour,
    productName: hostileTexts.long,
    boardName: hostileTexts.lines,
    boardVendor: hostileTexts.turned,
    boardVersion: "\u200b",
    biosVersion: hostileTexts.wide,
  },
  cpu: { ...framework.cpu, name: hostileTexts.wide },
  blockDevices: [
    disk("sda", { model: hostileTexts.long, modules: [hostileTexts.long, hostileTexts.lone] }),
    disk("sdb", { sizeBytes: null, model: null, modules: [], removable: true, transport: "usb" }),
    ...Array.from({ length: 38 }, (_, at) => disk(`sd${at}`)),
  ],
  network: Array.from({ length: 40 }, (_, at) => ({
    name: at === 0 ? hostileTexts.lines : `eth${at}`,
    mac: null,
    driver: "ixgbe",
    module: "ixgbe",
    kind: "ethernet",
    physical: true,
  })),
  usb: [
    {
      port: "1-1",
      vendor: "dead",
      product: "beef",
      class: "00",
      interfaceClasses: ["03"],
      manufacturer: hostileTexts.colour,
      name: hostileTexts.turned,
      modules: [hostileTexts.long],
    },
  ],
  unread: Array.from({ length: 64 }, (_, at) => ({
    path: `/sys/${at === 0 ? `${hostileTexts.colour}${"y".repeat(500)}` : at}`,
    why: at === 0 ? "malformed" : "denied",
  })),
};

function draw(facts: Facts, page: Page, known: CompiledProfiles = profiles): readonly string[] {
  const found = explainMatch(facts, known);
  return [...drawMachine(facts, page), "", ...drawMatch({ found, facts, profiles: known }, page)];
}

const machines: readonly (readonly [name: string, facts: Facts, page: Page])[] = [
  ["framework-13", framework, unicode],
  ["framework-16-rtx-5070", recorded("framework/16-amd-ai-300-rtx-5070:first-report"), unicode],
  ["raspberry-pi-4", recorded("raspberry-pi/4:rev-1.4"), unicode],
  ["ec2", recorded("amazon/ec2:nitro"), unicode],
  ["white-box", recorded("generic/x86-64:white-box"), unicode],
  ["nothing-known", nothing, unicode],
  ["hostile", hostile, unicode],
  ["hostile-ascii", hostile, ascii],
];

for (const [name, facts, page] of machines) {
  t.test(`${name} is drawn as in golden/${name}.txt`, async (t) => {
    const golden = new URL(`./golden/${name}.txt`, import.meta.url);
    const expected = existsSync(golden) ? readFileSync(golden, "utf8") : "no golden file";
    t.equal(`${draw(facts, page).join("\n")}\n`, expected);
  });
}

/** Rows of a machine: marks and lines of the picture taken away. */
function rows(facts: Facts): readonly string[] {
  const lines = drawMachine(facts, ascii);
  return lines
    .slice(
      1,
      lines.findLastIndex((line) => line.startsWith("  +-")),
    )
    .map((line) =>
      line
        .slice(3, -1)
        .replace(/^ (?:[|`]-|\|)/, "")
        .trim()
        .replaceAll(/ {2,}/g, "  "),
    );
}

t.test("a name is the product's, else the board's, else the device tree's", async (t) => {
  const dmi = (known: Parameters<typeof sampleFacts>[0]["dmi"]) =>
    sampleFacts({ dmi: known ?? {} });
  const junk = "To Be Filled By O.E.M.";
  const cases: readonly (readonly [Facts, string, string])[] = [
    [framework, "Framework Laptop 13 (AMD Ryzen 7040Series)", "product"],
    [
      dmi({ sysVendor: "HP", productName: "HP t640 Thin Client" }),
      "HP t640 Thin Client",
      "product",
    ],
    [
      dmi({
        sysVendor: "LENOVO",
        productName: "20XWCTO1WW",
        productVersion: "ThinkPad X1 Carbon Gen 9",
      }),
      "LENOVO ThinkPad X1 Carbon Gen 9 (20XWCTO1WW)",
      "product",
    ],
    [
      dmi({ sysVendor: "LENOVO", productName: junk, productVersion: "ThinkPad X390" }),
      "LENOVO ThinkPad X390",
      "product",
    ],
    [
      dmi({ sysVendor: junk, productName: junk, boardVendor: "ASRock", boardName: "N100DC-ITX" }),
      "ASRock N100DC-ITX",
      "board",
    ],
    [dmi({ sysVendor: "ASRock", productName: junk }), "a board without a name", "nothing"],
    [sampleFacts({ dt: { compatible: ["acme,one", "acme,soc"] } }), "acme,one", "device-tree"],
    [nothing, "an unknown machine", "nothing"],
  ];
  for (const [facts, text, by] of cases) t.same(machineName(facts), { text, by }, text);
  t.ok(rows(cases[4]?.[0] ?? nothing).includes("named by  its board: the product has no name"));
});

t.test("a battery is told, and missed only where a machine is carried about", async (t) => {
  const battery = (facts: Facts, has: boolean | null) =>
    rows({ ...facts, features: { ...facts.features, battery: has } }).filter((line) =>
      line.startsWith("battery"),
    );
  t.same(battery(framework, true), ["battery  yes"]);
  t.same(battery(framework, false), ["battery  none"]);
  t.same(battery(framework, null), ["battery  not known"]);
  for (const has of [false, null]) t.same(battery(recorded("amazon/ec2:nitro"), has), []);
});

t.test("the disk of a hypervisor is not said to spin", async (t) => {
  const blockDevices = [disk("vda", { transport: "virtio" }), disk("sda")];
  const drawn = drawMachine({ ...nothing, blockDevices }, ascii);
  t.same(
    drawn.filter((line) => line.includes("TiB")).map((line) => line.includes("spins")),
    [false, true],
  );
});

t.test("radios and cards without a driver are drawn, and so is what plugs into USB", async (t) => {
  const pci = (slot: string, kind: string, driver: string | null) => ({
    slot,
    vendor: "14e4",
    device: "43a0",
    subsystemVendor: null,
    subsystemDevice: null,
    class: kind,
    driver,
    module: driver,
  });
  const usb = (port: string, kinds: readonly string[], modules: readonly string[], own = "01") => ({
    port,
    vendor: "0bda",
    product: `815${port.slice(-1)}`,
    class: own,
    interfaceClasses: [...kinds],
    manufacturer: "Acme, Inc.",
    name: "Acme thing",
    modules: [...modules],
  });
  const facts: Facts = {
    ...nothing,
    pci: [
      pci("0000:01:00.0", "028000", null),
      pci("0000:02:00.0", "0d1100", "btintel_pcie"),
      pci("0001:03:00.0", "030200", "nvidia"),
    ],
    usb: [
      usb("1-1", ["ff"], ["r8152"]),
      usb("1-2", ["08"], ["uas"]),
      usb("1-3", ["08"], []),
      usb("1-4", ["e0"], ["rndis_host"]),
      usb("1-5", ["09"], ["hub"], "09"),
    ],
    network: [
      {
        name: "eth0",
        mac: null,
        driver: "r8152",
        module: "r8152",
        kind: "ethernet",
        physical: true,
      },
      { name: "lo", mac: null, driver: null, module: null, kind: "loopback", physical: false },
    ],
    blockDevices: [],
  };
  t.same(rows(facts).slice(rows(facts).indexOf("memory  not known")), [
    "memory  not known",
    "graphics  Broadcom 14e4:43a0  nvidia  PCI:3@1:0:0",
    "disks  none",
    "Ethernet  eth0  0bda:8151  r8152",
    "Wi-Fi  Broadcom 14e4:43a0  no driver",
    "Bluetooth  Broadcom 14e4:43a0  btintel_pcie",
    "USB  Acme thing  0bda:8153",
    "USB  Acme thing  0bda:8154  rndis_host",
  ]);
});

const maker = (sysVendor: string) => ({ all: { dmi: { sysVendor } } });
const board = (boardName: string) => ({ any: [{ all: { dmi: { boardName } } }] });

t.test(
  "a profile in doubt says what speaks against it, and what is used in its place",
  async (t) => {
    const any = sampleProfile("acme/any", { match: { any: [maker("Acme")] } });
    const one = sampleProfile("acme/one", {
      match: { any: [{ all: { dmi: { sysVendor: "Acme", productName: "One" } } }] },
      witness: board("ONE"),
    });
    const facts = sampleFacts({ dmi: { sysVendor: "Acme", productName: "One", boardName: "TWO" } });
    t.same(matchLines(facts, [any, one]), [
      "Acme One",
      "`- acme/one",
      "   |  acme/one",
      "   |  disputed: its rule and its witness contradict each other",
      '   |- + rule      maker "Acme"  product "One"',
      '   |- ! witness   board "TWO", expected "ONE"',
      "   `- > used      acme/any",
    ]);
  },
);

t.test("what a person has to decide on is offered, and parts stand beside the model", async (t) => {
  const any = sampleProfile("acme/any", { match: { any: [maker("Acme")] } });
  const one: CompiledProfile = {
    ...sampleProfile("acme/one", {
      match: { any: [{ all: { dmi: { sysVendor: "Acme", productName: "One" } } }] },
      witness: board("ONE"),
    }),
    needs: ["unfree", "kernel"],
  };
  const part: CompiledProfile = {
    ...sampleProfile("gpu/acme", { match: { any: [{ all: { pci: ["10de:2d58"] } }] } }),
    kind: "component",
  };
  const facts = sampleFacts({ dmi: { sysVendor: "Acme", productName: "One" }, pci: ["10de:2d58"] });
  t.same(matchLines(facts, [any, one, part]).slice(0, 10), [
    "Acme One",
    "`- acme/one",
    "   |  acme/one",
    "   |  likely: its rule or its witness says so, and the other one cannot tell",
    '   |- + rule      maker "Acme"  product "One"',
    '   |- ? witness   board not told, expected "ONE"',
    "   |- + part      gpu/acme  PCI 10de:2d58 at 0000:00:00.0",
    "   `- > used      acme/any",
    "                  acme/one brings unfree packages, another kernel: that is for",
    "                  a person to decide",
  ]);
});

t.test("a profile without a witness says that nothing could agree", async (t) => {
  const one = sampleProfile("acme/one", { match: { any: [maker("Acme")] } });
  t.equal(
    matchLines(sampleFacts({ dmi: { sysVendor: "Acme" } }), [one])[3],
    "   |  likely: its rule says so, and it has no witness that could agree",
  );
});

t.test(
  "where several fit equally well, or none does, there is no profile and a reason",
  async (t) => {
    const two = ["acme/one", "acme/two"].map((id) =>
      sampleProfile(id, { match: { any: [maker("Acme")] } }),
    );
    t.same(matchLines(sampleFacts({ dmi: { sysVendor: "Acme" } }), two).slice(1, 6), [
      "`- no profile",
      "      ambiguous: several fit equally well, so that none of them is taken",
      "not these, which came nearest:",
      "|- acme/one",
      "|  fits as well as acme/two (specificity 2), and neither extends the other",
    ]);
    t.same(matchLines(nothing, []), [
      "an unknown machine",
      "`- no profile",
      "      none of them fits",
    ]);
  },
);

function matchLines(facts: Facts, known: readonly CompiledProfile[]): readonly string[] {
  const all = profileSet(known);
  return drawMatch({ found: explainMatch(facts, all), facts, profiles: all }, ascii);
}

t.test("whatever a machine says, a picture keeps its width and its outline", async (t) => {
  const said = fc.option(fc.string({ unit: "binary", maxLength: 256 }));
  const machine = fc
    .record({ text: fc.array(said, { minLength: 8, maxLength: 8 }), columns: fc.nat(200) })
    .map(({ text, columns }) => ({ facts: sayingAll(text), columns }));
  fc.assert(
    fc.property(machine, fc.boolean(), ({ facts, columns }, isUnicode) => {
      const lines = draw(facts, { columns, isUnicode });
      const width = Math.max(40, Math.min(79, columns - 1));
      const boxed = lines.slice(
        0,
        lines.findIndex((line) => /^ {2}[└+]/.test(line) && line !== lines[0]) + 1,
      );
      return (
        boxed.length > 8 &&
        boxed.every((line) => textWidth(line) === width) &&
        lines.every((line) => textWidth(line) <= width && !/\p{C}/u.test(line)) &&
        (isUnicode || lines.every((line) => /^[\x20-\x7e]*$/.test(line)))
      );
    }),
    { numRuns: 50 },
  );
  t.pass("for fifty machines");
});

/** A machine all of whose texts are these. */
function sayingAll(text: readonly (string | null)[]): Facts {
  const [sysVendor = null, productName = null, boardName = null, boardVersion = null] = text;
  const [biosVersion = null, cpu = null, model = null, more = null] = text.slice(4);
  const dmi = { ...(framework.dmi as NonNullable<Facts["dmi"]>), boardVendor: more };
  const name = more ?? "eth0";
  return {
    ...framework,
    dmi: { ...dmi, sysVendor, productName, boardName, boardVersion, biosVersion },
    cpu: { ...framework.cpu, name: cpu, vendor: more },
    blockDevices: [disk(name, { model, modules: [name, model ?? "sd_mod"] })],
    network: [{ name, mac: null, driver: model, module: null, kind: "wifi", physical: true }],
    usb: (framework.usb ?? []).map((each) => ({ ...each, manufacturer: model, name: cpu })),
    unread: [{ path: name, why: "failed" }],
  };
}
