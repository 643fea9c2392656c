import { readFileSync } from "node:fs";
import t from "tap";
import { readFacts } from "#agent/facts/read-facts.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { fakeIo } from "#core/fake-io.ts";
import { hostIo } from "#core/host-io.ts";
import { fromJson, type PlainData } from "#provisioner/nix-language/from-json.ts";
import { attrs, bind } from "#provisioner/nix-language/tree.ts";
import { checkOptions, loadOptionList } from "#provisioner/nixos-options/option-list.ts";
import { compileProfiles } from "#provisioner/profiles/compile.ts";
import { explainMatch, matchProfile } from "#provisioner/profiles/match.ts";
import { appliedProfile } from "#provisioner/profiles/profile.ts";
import { sampleFacts } from "#provisioner/profiles/sample-facts.ts";
import { splitOptionName } from "#provisioner/render/option-name.ts";
import { tryRender } from "#provisioner/render/try-render.ts";
import { laptop, laptopFirmware } from "../boot/scenarios/laptop.ts";
import { nixEvalJson, skipWithoutNix } from "../nix-eval.ts";
import { ec2Nitro } from "./ec2-nitro.ts";
import { framework1313thGenIntel } from "./framework-13-13th-gen-intel.ts";
import { framework13Amd7040 } from "./framework-13-amd-7040.ts";
import { framework16Rtx5070 } from "./framework-16-rtx-5070.ts";
import { genericX86 } from "./generic-x86.ts";
import { jetsonOrinNano } from "./jetson-orin-nano.ts";
import { qemuQ35 } from "./qemu-q35.ts";
import { raspberryPi4 } from "./raspberry-pi-4.ts";
import { raspberryPi5 } from "./raspberry-pi-5.ts";
import { writeMachine } from "./write-machine.ts";

const root = new URL("../..", import.meta.url).pathname;
const { compiled } = compileProfiles(hostIo({ root }).files, "/hardware-profiles");

t.test(
  "every recorded machine gets its profile, and its facts are the profile's fixture",
  async (t) => {
    const cases = [
      [framework13Amd7040, "framework/13-amd-7040", "certain", "retail"],
      [framework1313thGenIntel, "framework/13-13th-gen-intel", "certain", "retail"],
      [framework16Rtx5070, "framework/16-amd-ai-300-rtx-5070", "certain", "first-report"],
      [raspberryPi4, "raspberry-pi/4", "certain", "rev-1.4"],
      [raspberryPi5, "raspberry-pi/5", "certain", "rev-1.0"],
      [jetsonOrinNano, "nvidia/jetson-orin", "certain", "nano"],
      [ec2Nitro, "amazon/ec2", "certain", "nitro"],
      [qemuQ35, "qemu/kvm", "certain", "q35"],
      [genericX86, "generic/x86-64", "generic", "white-box"],
    ] as const;
    for (const [machine, profile, confidence, fixture] of cases) {
      const directory = `${t.testdir({ [machine.name]: {} })}/${machine.name}`;
      writeMachine(directory, machine);
      const facts = readFacts(fakeIo(directory));
      const match = matchProfile(facts, compiled);
      t.same(
        [match.profile, match.confidence, match.applied],
        [profile, confidence, profile],
        machine.name,
      );
      const file = `${root}hardware-profiles/${profile}/fixtures/${fixture}.json`;
      t.equal(
        prettyJson(facts),
        readFileSync(file, "utf8"),
        `${machine.name}: the fixture is up to date`,
      );
    }
  },
);

t.test("a Framework that is in doubt, or not known yet, gets what its family shares", async (t) => {
  const vendor = { sysVendor: "Framework", boardVendor: "Framework" };
  const cases = [
    ["Laptop 13 (AMD Ryzen 7040Series)", "FRANMCCP06", "AuthenticAMD", "framework/amd-laptop"],
    ["Laptop 13 (AMD Ryzen 7040Series)", "FRANMCCP06", "GenuineIntel", "framework/laptop"],
    ["Laptop (13th Gen Intel Core)", "FRANMDCP07", "GenuineIntel", "framework/13-intel"],
    ["Laptop 16 (AMD Ryzen to come)", "FRANZZCP01", "AuthenticAMD", "framework/16"],
    ["Laptop 14 (Intel Core to come)", "FRANZZCP01", "GenuineIntel", "framework/intel-laptop"],
    ["Tablet (Intel Core to come)", "FRANZZCP01", "GenuineIntel", "generic/x86-64"],
  ] as const;
  for (const [productName, boardName, cpuVendor, applied] of cases) {
    const known = { architecture: "x86_64", cpuVendor, dmi: { ...vendor, productName, boardName } };
    const match = matchProfile(sampleFacts(known), compiled);
    t.equal(match.applied, applied, `${productName} on ${boardName} with ${cpuVendor}`);
  }
});

t.test("SMBIOS that names a PC on another processor is not believed", async (t) => {
  const framework = {
    sysVendor: "Framework",
    productName: "Laptop 13 (AMD Ryzen 7040Series)",
    boardName: "FRANMDCP07",
  };
  const dell = { sysVendor: "Dell Inc.", productName: "XPS 13 9380" };
  const cases = [
    [framework, "x86_64", "framework/13-amd-7040", "certain", "framework/13-amd-7040"],
    [framework, "i686", "framework/13-amd-7040", "certain", "framework/13-amd-7040"],
    [framework, "aarch64", "framework/13-amd-7040", "disputed", "generic/aarch64"],
    [framework, "riscv64", "framework/13-amd-7040", "disputed", null],
    [
      dell,
      "x86_64",
      "nixos-hardware/dell-xps-13-9380",
      "likely",
      "nixos-hardware/dell-xps-13-9380",
    ],
    [dell, "aarch64", "nixos-hardware/dell-xps-13-9380", "disputed", "generic/aarch64"],
  ] as const;
  for (const [dmi, architecture, profile, confidence, applied] of cases) {
    const match = explainMatch(sampleFacts({ architecture, dmi }), compiled);
    const name = `${dmi.productName} with ${architecture}`;
    t.same([match.profile, match.confidence, match.applied], [profile, confidence, applied], name);
    const doubt = { rule: "witness", what: "cpu.architecture", got: architecture, truth: "fails" };
    const doubts = match.evidence.filter(({ what }) => what === "cpu.architecture");
    t.match(doubts, confidence === "disputed" ? [{ ...doubt, expected: "x86_64" }] : [], name);
  }
});

t.test("QEMU with a laptop's SMBIOS is what the boot tier expects of it", async (t) => {
  const { manufacturer, product, board } = laptopFirmware;
  const system = { sys_vendor: manufacturer, product_name: product };
  const expected = laptop
    .steps({ publicKey: "", pace: 1, restartsFirst: true })
    .flatMap((step) => ("run" in step && step.run[1] === "profiles" ? [step.prints ?? ""] : []));
  t.equal(expected.length, 2);
  for (const [confidence, dmi] of [
    ["certain", { ...system, board_vendor: manufacturer, board_name: board }],
    ["likely", system],
  ] as const) {
    const directory = `${t.testdir({ [confidence]: {} })}/${confidence}`;
    writeMachine(directory, { ...qemuQ35, dmi: { ...qemuQ35.dmi, ...dmi } });
    const match = explainMatch(readFacts(fakeIo(directory)), compiled);
    t.match(match, { applied: "framework/13-amd-7040", confidence });
    const printed = prettyJson({ v: 1, ...match });
    t.same(
      expected.map((text) => new RegExp(text, "m").test(printed)),
      [true, confidence === "certain"],
      "without the board it would not be certain",
    );
  }
});

const options = loadOptionList();
const withoutOptions =
  options === undefined ? "the option list is not on this machine (../shared/data)" : false;

t.test(
  "every option of every profile is one of NixOS, with a fitting value",
  { skip: withoutOptions },
  async (t) => {
    for (const { id, nixos } of compiled.profiles) {
      for (const [name, value] of [
        ...Object.entries(nixos.options),
        ...Object.entries(nixos.platform?.options ?? {}),
      ]) {
        const expr = attrs([bind(splitOptionName(name) ?? [name], fromJson(value as PlainData))]);
        t.same(options && checkOptions([{ file: id, expr }], options), [], `${id}: ${name}`);
      }
    }
  },
);

/** As much of nixpkgs' lib as modules of profiles may use, with priorities left out. */
const lib = `{
  mkDefault = value: value;
  mkAfter = value: value;
  mkIf = condition: value: if condition then value else { };
  optional = condition: value: if condition then [ value ] else [ ];
  optionalString = condition: value: if condition then value else "";
  versionOlder = a: b: builtins.compareVersions b a == 1;
}`;

const moduleTexts = new Map(
  compiled.profiles.flatMap(({ nixos }) => nixos.modules.map(({ id, text }) => [id, text])),
);

interface ModuleOnKernel {
  readonly id: string;
  readonly kernel: string;
}

/** What modules of profiles set on a kernel, all by one process of Nix. */
function evaluateModules(wanted: readonly ModuleOnKernel[]): readonly PlainData[] {
  const fileOf = (id: string) => `${id.replaceAll("/", "-")}.nix`;
  const files = Object.fromEntries([...moduleTexts].map(([id, text]) => [fileOf(id), text]));
  const each = wanted.map(({ id, kernel }) => `(import ./${fileOf(id)} (on "${kernel}"))`);
  return nixEvalJson(
    `let
      on = kernel: {
        lib = ${lib};
        pkgs = { };
        config.boot.kernelPackages.kernel.version = kernel;
        config.services.power-profiles-daemon.enable = false;
      };
    in [ ${each.join(" ")} ]`,
    { files },
  ) as readonly PlainData[];
}

t.test(
  "every module evaluates on old and new kernels, and sets options of NixOS",
  { skip: skipWithoutNix() },
  async (t) => {
    const wanted = [...moduleTexts.keys()].flatMap((id) =>
      ["6.1.100", "6.12.40"].map((kernel) => ({ id, kernel })),
    );
    const values = evaluateModules(wanted);
    t.equal(values.length, wanted.length);
    for (const [at, { id, kernel }] of wanted.entries()) {
      const value = values[at] ?? null;
      t.ok(typeof value === "object" && value !== null, `${id} on ${kernel}`);
      if (options !== undefined)
        t.same(
          checkOptions([{ file: id, expr: fromJson(value) }], options),
          [],
          `${id}: its options`,
        );
    }
  },
);

const nothing = { params: [], blacklist: [], units: [], jack: false };

/** What each model needs on a kernel, and not on the next one. */
const byKernel: readonly (readonly [id: string, kernel: string, found: object])[] = [
  // The display reads from scattered memory since 6.2.
  ["framework/13-amd-7040", "6.1.100", { params: ["rtc_cmos.use_acpi_alarm=1"], jack: true }],
  [
    "framework/13-amd-7040",
    "6.2",
    { params: ["rtc_cmos.use_acpi_alarm=1", "amdgpu.sg_display=0"], jack: true },
  ],
  [
    "framework/13-amd-7040",
    "6.5.13",
    { params: ["rtc_cmos.use_acpi_alarm=1", "amdgpu.sg_display=0"], jack: true },
  ],
  ["framework/13-amd-7040", "6.6.7", { params: ["rtc_cmos.use_acpi_alarm=1"], jack: true }],
  ["framework/13-amd-7040", "6.6.8", { params: ["rtc_cmos.use_acpi_alarm=1"], jack: false }],
  ["framework/13-amd-7040", "6.8", nothing],
  ["framework/16-amd-7040", "6.1.100", { params: ["rtc_cmos.use_acpi_alarm=1"] }],
  [
    "framework/16-amd-7040",
    "6.2",
    { params: ["rtc_cmos.use_acpi_alarm=1", "amdgpu.sg_display=0"], jack: false },
  ],
  ["framework/16-amd-7040", "6.6", { params: ["rtc_cmos.use_acpi_alarm=1"] }],
  ["framework/16-amd-7040", "6.8", nothing],
  ["framework/13-11th-gen-intel", "6.6.30", { params: ['acpi_osi="!Windows 2020"'], jack: false }],
  ["framework/13-11th-gen-intel", "6.8", nothing],
  [
    "framework/13-12th-gen-intel",
    "6.1",
    {
      params: ['acpi_osi="!Windows 2020"', "i915.enable_psr=1", "mem_sleep_default=deep"],
      blacklist: ["hid-sensor-hub"],
      units: ["firstlight-framework-keys"],
      jack: true,
    },
  ],
  [
    "framework/13-13th-gen-intel",
    "6.6.30",
    {
      params: ['acpi_osi="!Windows 2020"', "mem_sleep_default=deep"],
      blacklist: ["hid-sensor-hub"],
      units: ["firstlight-framework-keys"],
      jack: false,
    },
  ],
  ["framework/13-13th-gen-intel", "6.8", nothing],
  ["framework/12-13th-gen-intel", "6.12.40", { jack: true }],
  ["framework/12-13th-gen-intel", "6.13", nothing],
  ["framework/13-core-ultra-1", "6.9", nothing],
  ["framework/13-amd-ai-300", "6.15", nothing],
  // nixos-hardware gives other values of these, and the kernel takes the last.
  ["framework/13-pro-core-ultra-3", "6.17", { params: ["nvme.noacpi=0"] }],
  ["framework/16-amd-ai-300", "6.15", { params: ["amdgpu.dcdebugmask=0x410"] }],
];

interface ModuleValue {
  readonly boot?: {
    readonly kernelParams?: readonly string[];
    readonly blacklistedKernelModules?: readonly string[];
    readonly extraModprobeConfig?: string;
  };
  readonly systemd?: { readonly services?: object };
}

t.test("the Frameworks' quirks follow the kernel in use", { skip: skipWithoutNix() }, async (t) => {
  const lineages = byKernel.map(([id, kernel]) =>
    (compiled.profiles.find((each) => each.id === id)?.nixos.modules ?? []).map((module) => ({
      id: module.id,
      kernel,
    })),
  );
  const values = [...evaluateModules(lineages.flat())] as ModuleValue[];
  for (const [row, [id, kernel, found]] of byKernel.entries()) {
    const own = values.splice(0, lineages[row]?.length ?? 0);
    const settings = {
      params: own.flatMap(({ boot }) => boot?.kernelParams ?? []),
      blacklist: own.flatMap(({ boot }) => boot?.blacklistedKernelModules ?? []),
      units: own.flatMap(({ systemd }) => Object.keys(systemd?.services ?? {})),
      jack: own.some(({ boot }) => (boot?.extraModprobeConfig ?? "") !== ""),
    };
    t.same(settings, { ...nothing, ...found }, `${id} on ${kernel}`);
  }
});

t.test("every Framework has its own values and those of its family", async (t) => {
  const of = (id: string) => compiled.profiles.find((each) => each.id === id);
  t.same(of("framework/16-amd-ai-300")?.kernel.params, {
    amd_pstate: "active",
    "amdgpu.abmlevel": 0,
    "amdgpu.dcdebugmask": "0x410",
    "amdgpu.sg_display": 0,
  });
  t.same(of("framework/13-13th-gen-intel")?.kernel.params, { "nvme.noacpi": 1 });
  t.same(of("framework/13-pro-core-ultra-3")?.kernel.params, {});
  const models = compiled.profiles.filter(({ vendor }) => vendor === "Framework");
  t.ok(models.length >= 17, `${models.length} profiles`);
  for (const { id, nixos, install } of models) {
    t.equal(nixos.options["services.fwupd.enable"], true, `${id}: firmware updates are offered`);
    t.equal(install.encryption, "luks2", id);
  }
});

t.test("a component comes with its device and goes with it", async (t) => {
  const filesOf = (known: Parameters<typeof sampleFacts>[0]) => {
    const facts = sampleFacts({ architecture: "x86_64", ...known });
    const match = matchProfile(facts, compiled);
    const { sources } = tryRender({}, { facts, match, profiles: compiled });
    return { parts: match.components.map(({ id }) => id), files: sources.files };
  };
  const dmi = { sysVendor: "Acme", productName: "Desk 1" };
  const rule = /ATTR\{idProduct\}=="8156", ATTR\{power\/autosuspend\}="20"/;
  const rules = (files: readonly { readonly content: string }[]) =>
    files.filter(({ content }) => rule.test(content)).length;

  const attached = filesOf({ dmi, usb: ["0bda:8156"] });
  t.same([attached.parts, rules(attached.files)], [["expansion/rtl8156"], 1]);
  const detached = filesOf({ dmi, usb: ["0bda:8153"] });
  t.same([detached.parts, rules(detached.files)], [[], 0]);

  const framework = [
    { sysVendor: "Framework", productName: "Desktop (AMD Ryzen AI Max 300 Series)" },
    { sysVendor: "Framework", productName: "Laptop 13 (AMD Ryzen 7040Series)" },
  ];
  for (const machine of framework) {
    const without = filesOf({ dmi: machine, usb: [] });
    t.same([without.parts, rules(without.files)], [[], 1], "the card may come after the start");
    const beside = filesOf({ dmi: machine, usb: ["0bda:8156"] });
    t.same(beside.files, without.files, "and changes nothing where it is there at the start");
  }
});

t.test("a fingerprint reader brings its daemon and what is known of its firmware", async (t) => {
  for (const [usb, known] of [
    ["27c6:609c", true],
    ["27c6:6584", false],
  ] as const) {
    const dmi = { sysVendor: "Acme", productName: "Book 1" };
    const match = matchProfile(sampleFacts({ architecture: "x86_64", dmi, usb: [usb] }), compiled);
    const profile = appliedProfile(match, compiled);
    t.equal(profile?.nixos.options["services.fprintd.enable"] === true, known, usb);
    t.equal(
      profile?.quirks.some(({ id }) => id === "fingerprint-firmware"),
      known,
      usb,
    );
  }
});

t.test("a Raspberry Pi gets no module that builds the kernel of the maker on it", async (t) => {
  const boards = compiled.profiles.filter(({ vendor }) => vendor === "Raspberry Pi");
  t.ok(boards.length >= 3, `${boards.length} boards`);
  for (const { id, nixos } of boards) t.same(nixos.imports, [], id);
});

t.test("a guest has the agent of its own hypervisor, and of no other", async (t) => {
  const agents: Readonly<Record<string, readonly string[]>> = {
    "services.qemuGuest.enable": [
      "digitalocean/droplet",
      "generic/arm-vm",
      "hetzner/cloud",
      "qemu/kvm",
      "vultr/vc2",
    ],
    "virtualisation.hypervGuest.enable": ["microsoft/azure", "microsoft/hyper-v"],
    "virtualisation.virtualbox.guest.enable": ["virtualbox/vm"],
    "virtualisation.vmware.guest.enable": ["vmware/vm"],
  };
  for (const [option, guests] of Object.entries(agents)) {
    const on = compiled.profiles.filter(({ nixos }) => nixos.options[option] === true);
    t.same(
      on.map(({ id }) => id),
      guests,
      option,
    );
  }
});
